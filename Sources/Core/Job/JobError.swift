// What can be wrong with what was asked of a job.

/// A request about a job that can't be granted, with the field and the fix in its message.
public enum JobError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A field has a value it may not have.
    case field(_ name: String, _ problem: String)
    case move(from: JobStatus, to: JobStatus)
    case unknown(JobID)
    /// Another live job writes to the same destination.
    case destinationBusy(destination: String, job: JobID)
    /// The job is not what its checkpoints were written for.
    case mismatch(String)

    public var description: String {
        switch self {
        case .field(let name, let problem):
            "\(name): \(problem)"
        case .move(let from, let to):
            "a job that is \(from) can't become \(to); from \(from) it can become "
                + (from.successors.isEmpty
                    ? "nothing else" : from.successors.map(\.rawValue).sorted().joined(separator: ", "))
        case .unknown(let id):
            "reindex_id: no job \(id); `sluice job list` shows the jobs of this database"
        case .destinationBusy(let destination, let job):
            "destination: job \(job) holds \(destination); wait for its end, or cancel it with `sluice job cancel \(job)`"
        case .mismatch(let problem):
            problem
        }
    }
}
