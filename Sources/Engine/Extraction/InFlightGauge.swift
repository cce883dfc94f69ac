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
        var records = 0
        /// Everything this process has ever counted, so that what it counts while the books are asked is not lost.
        var moved = 0
        /// Nil until the books have been asked.
        var readAt: Timestamp?
        /// Those who wait for room.
        var waiting: [Bell] = []
    }

    /// How old the books' word may be while a job is full.
    private static let ageMax: Duration = .milliseconds(250)
    /// The same while it is not: who books what others have committed would else believe in ever more room.
    private static let trustMax: Duration = .seconds(2)
    /// More records than a slice can have: with what somebody has written into the table, no sum overflows.
    private static let sliceMax = 1 << 50

    init(_ context: EngineContext) {
        self.context = context
    }

    /// Counts records that this process has committed, or, below zero, booked.
    func add(_ records: Int, to job: JobID) {
        let woken = readings.withLock { readings in
            readings[job, default: Reading()].records += records
            readings[job]?.moved += records
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
        let (known, movedBefore) = readings.withLock { readings -> (Int?, Int) in
            guard let known = readings[job], let readAt = known.readAt else { return (nil, readings[job]?.moved ?? 0) }
            // One of those who wait asks the books; the others go on with what is known.
            let ageMax = known.records > context.settings.inFlightMax ? Self.ageMax : Self.trustMax
            if readAt.advanced(by: ageMax) <= now {
                readings[job]?.readAt = now
                return (nil, known.moved)
            }
            return (known.records, known.moved)
        }
        if let known { return known }
        let booked = try await context.slices(of: job).reduce(0) { $0 + min(max(0, $1.inFlight), Self.sliceMax) }
        let (records, woken) = readings.withLock { readings in
            var reading = readings[job] ?? Reading()
            reading.records = booked + reading.moved - movedBefore
            reading.readAt = now
            readings[job] = reading
            return (reading.records, takeWaiting(&readings, job))
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
