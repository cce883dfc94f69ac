// What the program's exit code says.
import ArgumentParser
import SluiceCore

/// The documented exit codes.
enum ExitStatus: Int32, Error {
    case done = 0
    case error = 1
    case completedWithFailures = 3
    case paused = 4
    case cancelled = 5
    case failed = 6
    case usage = 64
    case unavailable = 69
    /// Stopped at a checkpoint with work left: a worker goes on from there.
    case interrupted = 75
    case configuration = 78

    /// How a job that is no longer worked on ended; one that could still go on was interrupted.
    init(of status: JobStatus) {
        self =
            switch status {
            case .completed: .done
            case .completedWithFailures: .completedWithFailures
            case .paused: .paused
            case .cancelled: .cancelled
            case .failed: .failed
            case .pending, .inProgress, .pausing, .cancelling: .interrupted
            }
    }

    /// Ends the command with this code, silently, unless it is `done`.
    func end() throws {
        if self != .done { throw self }
    }
}
