// Holds extraction back while too many records of a job are undelivered.
import SluiceCore
import Synchronization

/// An estimate of each job's records in flight: what the books said last, and what this process has moved since.
///
/// It may be wrong for a moment, by what other processes do; the books are asked again before anybody is held back long.
final class InFlightGauge: Sendable {
    private let context: EngineContext
    private let readings = Mutex<[JobID: Reading]>([:])

    private struct Reading {
        var records: Int
        var readAt: Timestamp
    }

    /// How long a full job waits before the estimate is looked at again.
    private static let recheck: Duration = .milliseconds(5)
    /// How old the books' word may be while a job is full.
    private static let ageMax: Duration = .milliseconds(250)

    init(_ context: EngineContext) {
        self.context = context
    }

    /// Counts records that this process has committed, or, below zero, booked.
    func add(_ records: Int, to job: JobID) {
        readings.withLock { $0[job]?.records += records }
    }

    /// Waits until the job has room for more; false if this process is to stop or the job may have been.
    func waitForRoom(_ job: JobID, stop: StopSignal) async throws(PortError) -> Bool {
        let now = context.now
        let known = readings.withLock { readings in
            guard let known = readings[job] else { return nil as Reading? }
            // One of those who wait asks the books; the others go on with what is known.
            if known.records > context.settings.inFlightMax, known.readAt.advanced(by: Self.ageMax) <= now {
                readings[job]?.readAt = now
                return nil
            }
            return known
        }
        let records: Int
        if let known {
            records = known.records
        } else {
            records = try await context.slices(of: job).reduce(0) { $0 + $1.inFlight }
            readings.withLock { $0[job] = Reading(records: records, readAt: now) }
        }
        if records <= context.settings.inFlightMax { return true }
        if !stop.isStopping { try await context.pause(Self.recheck) }
        return false
    }
}
