// Holds extraction back while too many records of a job are undelivered.
import SluiceCore
import Synchronization

/// An estimate of each job's records in flight: what the books said last, and what this process has added since.
final class InFlightGauge: Sendable {
    private let context: EngineContext
    private let readings = Mutex<[JobID: Int]>([:])

    /// How long a full job waits before the books are asked again.
    private static let recheck: Duration = .milliseconds(20)

    init(_ context: EngineContext) {
        self.context = context
    }

    func add(_ records: Int, to job: JobID) {
        readings.withLock { $0[job, default: 0] += records }
    }

    /// Waits until the job has room for more; false if this process is to stop or the job may have been.
    func waitForRoom(_ job: JobID, stop: StopSignal) async throws(PortError) -> Bool {
        if readings.withLock({ $0[job] ?? .max }) <= context.settings.inFlightMax { return true }
        let sum = try await context.slices(of: job).reduce(0) { $0 + $1.inFlight }
        readings.withLock { $0[job] = sum }
        if sum <= context.settings.inFlightMax { return true }
        if !stop.isStopping { try await context.pause(Self.recheck) }
        return false
    }
}
