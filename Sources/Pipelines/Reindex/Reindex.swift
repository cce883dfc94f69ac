// Reindexing: documents from where they are to the index that should hold them, whole or by named fields.

/// What is fixed about reindexing jobs.
package enum Reindex {
    /// How many slices a job has unless it says otherwise: as many as one process extracts at once.
    package static let defaultConcurrency = 8
    package static let defaultPageSize = 1500
    package static let defaultIDField = "_id"
    /// The account of jobs whose source and sink know none.
    package static let localAccount = "local"
    /// The sink of an index that nobody can be asked to take: it delivers nothing, and the job says so.
    package static let classicSink = classicScheme + ":"
    package static let classicScheme = "classic"
}
