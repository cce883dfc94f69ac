// A job as it is named on the command line.
import ArgumentParser
import SluiceCore

struct JobArgument: ParsableArguments {
    @Argument(help: "The job's reindex_id, as `reindex start` printed it and `job list` shows it.")
    var id: String

    /// - Throws: `JobError.field` if it is malformed.
    var jobID: JobID {
        get throws { try JobID(id) }
    }
}
