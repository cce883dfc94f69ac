// From a claim on a slice to its last committed page: how extraction can end.
import SluiceCore

/// How an extraction of a slice ended.
enum ExtractionEnd: Sendable, Equatable {
    /// The source has said that nothing follows, and the last page is committed.
    case finished
    /// The job is no longer in progress, or this process stops; the slice is at a checkpoint.
    case stopped
    /// Another epoch has the slice: nothing of what this one still held was written.
    case fenced
}

/// A record that can't be transformed, in a job that is to stop at one.
struct BadRecord: Error, CustomStringConvertible {
    let job: JobID
    let place: String
    let reason: String

    var description: String {
        "\(place): \(reason); cancel this job, mend the source and start a new one, or let such records become dead "
            + "letters with `sluice job set \(job) --on-bad-record dead-letter` and resume"
    }
}
