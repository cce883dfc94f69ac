// The sinks and throttles that this process has open, one of each for a job.
import SluiceCore
import Synchronization

/// Sinks by job: an assembling sink has its own segment, so it is made once and kept.
final class SinkCache: Sendable {
    private let context: EngineContext
    private let entries = Mutex<[JobID: Entry]>([:])
    private let longWaits = LongWaits()

    private struct Entry {
        var sink: any RecordSink
        var throttle: Throttle
    }

    init(_ context: EngineContext) {
        self.context = context
    }

    /// - Throws: `DeliveryHalted` if the sink can't be made, such as for want of a key.
    func sink(for job: Job) throws(DeliveryHalted) -> any RecordSink {
        do {
            return try entry(for: job).sink
        } catch {
            throw DeliveryHalted(reason: error.description)
        }
    }

    func throttle(for job: Job) -> Throttle {
        entries.withLock { $0[job.id]?.throttle } ?? Throttle(context, longWaits)
    }

    private func entry(for job: Job) throws(JobError) -> Entry {
        if let entry = entries.withLock({ $0[job.id] }) { return entry }
        let made = Entry(sink: try context.parts.sink(for: job), throttle: Throttle(context, longWaits))
        return entries.withLock { entries in
            if let entry = entries[job.id] { return entry }
            entries[job.id] = made
            return made
        }
    }

    /// Forgets a job that is at its end, or whose sink is to be made anew with other credentials.
    func forget(_ job: JobID) {
        entries.withLock { $0[job] = nil }
    }
}
