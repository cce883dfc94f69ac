// The port that starts extractions where they run.

/// Starts the extraction of a job: a task in this process, or a job in a cluster.
public protocol Launcher: Sendable {
    /// Starts it unless a launch of the same name was started before; both are success.
    ///
    /// - Returns: whether this call started it.
    func launch(_ launch: Launch) async throws(PortError) -> Bool

    /// What became of a launch, as far as this launcher can tell.
    ///
    /// It says how the process fared, never how the job did: that is in the books. A launch that was answered with an unknown
    /// outcome may be running, or `gone` because it never began.
    func standing(of launch: Launch) async throws(PortError) -> LaunchStanding
}

extension Launcher {
    /// Unknown: what runs in this process lives and ends with it, and shows itself by its leases.
    public func standing(of launch: Launch) async throws(PortError) -> LaunchStanding { .unknown }
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

/// What became of a launch.
public enum LaunchStanding: Sendable, Hashable {
    /// Begun, as far as can be told.
    case running
    /// Asked for, but no process of it is up; why that may be, and what tells.
    case waiting(reason: String)
    /// Its process ended well.
    case ended
    /// It ended badly, and is not tried again by itself.
    case failed(reason: String)
    /// There is nothing of that name: it was never begun, was removed, or ended so long ago that it was tidied away.
    case gone
    /// This launcher keeps no account of what it starts.
    case unknown
}
