// The port that starts extractions where they run.

/// Starts the extraction of a job: a task in this process, or a job in a cluster.
public protocol Launcher: Sendable {
    /// Starts it unless a launch of the same name was started before; both are success.
    ///
    /// - Returns: whether this call started it.
    func launch(_ launch: Launch) async throws(PortError) -> Bool
}

/// One start of a job's extraction, named so that the same start is recognised when asked for again.
public struct Launch: Sendable, Hashable {
    public let job: JobKey
    /// 1 for the first start, one more for each resume.
    public let number: Int

    public init(job: JobKey, number: Int) {
        self.job = job
        self.number = number
    }

    /// Deterministic: job id and launch number.
    public var name: String { "\(job.id)-\(number)" }
}
