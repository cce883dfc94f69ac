// Job records as this process last read them, no older than a live change may take to be felt.
import SluiceCore
import Synchronization

/// A read-through cache of jobs; what is decided on it must bear being decided a moment late.
final class JobCache: Sendable {
    private let context: EngineContext
    private let entries = Mutex<[JobID: Entry]>([:])

    private struct Entry {
        var job: Job
        var readAt: Timestamp
    }

    /// More jobs than this at once in one process are read again each time.
    private static let entriesMax = 1000

    init(_ context: EngineContext) {
        self.context = context
    }

    /// The job, at most `settingsAge` old, or nil if there is none.
    func get(_ key: JobKey) async throws(PortError) -> Job? {
        let now = context.now
        if let entry = entries.withLock({ $0[key.id] }),
            entry.readAt.duration(to: now) < context.settings.settingsAge
        {
            return entry.job
        }
        guard let job = try await context.jobs.get(key.itemKey) else { return nil }
        entries.withLock { entries in
            if entries.count >= Self.entriesMax { entries.removeAll() }
            entries[key.id] = Entry(job: job, readAt: now)
        }
        return job
    }

    /// Makes the next `get` read again.
    func forget(_ id: JobID) {
        entries.withLock { $0[id] = nil }
    }
}
