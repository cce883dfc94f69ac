// From a request to a job that any worker can take on.
package import SluiceCore
package import SluiceEngine

/// Creates reindexing jobs.
package struct ReindexStart: Sendable {
    private let context: EngineContext
    private let places: ReindexPlaces

    package init(_ context: EngineContext, places: ReindexPlaces = ReindexPlaces()) {
        self.context = context
        self.places = places
    }

    /// A source that fails for a moment is asked again, but somebody is waiting for the answer.
    private static let looksMax = 3
    private static let patience: Duration = .seconds(2)

    /// Checks everything about the request and creates its job; if anything is wrong, nothing is changed.
    ///
    /// Returns the job as it was created; a worker may have launched it already.
    ///
    /// - Throws: `JobError.field` naming what is wrong with the request, `JobError.destinationBusy`, `PortError`.
    package func start(_ request: ReindexRequest) async throws -> Job {
        let ready = try await prepare(request)
        let match = SliceMatch.text(job: ready.job, source: ready.description, transform: ready.transform)
        try await JobStore(context).create(ready.job, match: match)
        // Not read back: nothing that fails from here on may hide that the job is there.
        return ready.job
    }

    /// What a request comes to: everything has been checked, and nothing is stored.
    ///
    /// - Parameters:
    ///   - request: what is wanted.
    ///   - id: the job's, if somebody else has given it one.
    /// - Returns: what could start.
    /// - Throws: as `start`, but for a busy destination; with an `id`, `SourceError.transient` if the source is away.
    package func prepare(_ request: ReindexRequest, id: JobID? = nil) async throws -> PreparedReindex {
        let now = context.clock.now
        var details: IndexDetails?
        if let wanted = try request.indexNeeded() {
            details = try await IndexStore(context.backend.tables).needed(account: wanted.account, index: wanted.index)
        }
        var job = try request.job(
            id: id ?? JobID(now: now, random: context.random),
            now: now,
            details: details,
            places: places
        )
        let source = try context.parts.source(for: job)
        // Made here only to have their complaints before the job exists.
        let transform = try context.parts.transform(for: job)
        try context.parts.checkSink(of: job)
        let description: SourceDescription
        do {
            description = try await context.describe(source, attempts: Self.looksMax, patience: Self.patience)
        } catch let error as SourceError {
            // Somebody else's wish is not refused because its source is away for a while.
            if id != nil, case .transient = error { throw error }
            // What the source advises is meant for a job that is under way; here there is none to resume.
            let advice = ", then resume the job"
            let reason = error.description
            throw JobError.field(
                "source",
                reason.hasSuffix(advice) ? reason.dropLast(advice.count) + ", then start again" : reason
            )
        }
        job.sourceFingerprint = description.fingerprint
        job.sourceBytes = description.bytes
        job.sourceRecords = description.records
        return PreparedReindex(job: job, source: source, transform: transform, description: description)
    }
}

/// A reindex that could start: its job, not stored, and what the job is made of.
package struct PreparedReindex: Sendable {
    package let job: Job
    package let source: any RecordSource
    package let transform: any RecordTransform
    package let description: SourceDescription
}
