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
        /// Those who wait for room.
        var waiting: [Bell] = []
    }

    /// How old the books' word may be while a job is full.
    private static let ageMax: Duration = .milliseconds(250)

    init(_ context: EngineContext) {
        self.context = context
    }

    /// Counts records that this process has committed, or, below zero, booked.
    func add(_ records: Int, to job: JobID) {
        let woken = readings.withLock { readings in
            readings[job]?.records += records
            return takeWaiting(&readings, job)
        }
        for bell in woken { bell.ring() }
    }

    /// Waits until the job has room for more; false if it has to be looked at again, for it or this process may be about
    /// to stop.
    func waitForRoom(_ job: JobID, stop: StopSignal) async throws(PortError) -> Bool {
        if try await records(of: job) <= context.settings.inFlightMax { return true }
        let bell = Bell()
        let isFull = readings.withLock { readings in
            guard let known = readings[job], known.records > context.settings.inFlightMax else { return false }
            readings[job]?.waiting.append(bell)
            return true
        }
        guard isFull else { return true }
        await bell.wait(atMost: Self.ageMax, clock: context.clock, stop: stop)
        readings.withLock { $0[job]?.waiting.removeAll { $0 === bell } }
        if Task.isCancelled { throw PortError(.cancelled, "cancelled while waiting for room") }
        return false
    }

    /// What is known, or what the books say where that is too old.
    private func records(of job: JobID) async throws(PortError) -> Int {
        let now = context.now
        let known = readings.withLock { readings -> Int? in
            guard let known = readings[job] else { return nil }
            // One of those who wait asks the books; the others go on with what is known.
            if known.records > context.settings.inFlightMax, known.readAt.advanced(by: Self.ageMax) <= now {
                readings[job]?.readAt = now
                return nil
            }
            return known.records
        }
        if let known { return known }
        let records = try await context.slices(of: job).reduce(0) { $0 + $1.inFlight }
        let woken = readings.withLock { readings in
            readings[job, default: Reading(records: 0, readAt: now)].records = records
            readings[job]?.readAt = now
            return takeWaiting(&readings, job)
        }
        for bell in woken { bell.ring() }
        return records
    }

    private func takeWaiting(_ readings: inout [JobID: Reading], _ job: JobID) -> [Bell] {
        guard let known = readings[job], !known.waiting.isEmpty, known.records <= context.settings.inFlightMax else {
            return []
        }
        readings[job]?.waiting = []
        return known.waiting
    }
}
