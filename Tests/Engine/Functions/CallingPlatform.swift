// A platform that receives messages and changes and calls the engine's functions with them, as Lambda does.
import Logging
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

/// Queues, tables and functions in memory, on a clock that a test moves.
struct CallingPlatform {
    let clock = ManualClock()
    let context: EngineContext
    let launcher = NotingLauncher()
    let functions: Functions
    let steps: Steps
    let job: JobKey

    init(
        _ parts: any JobParts,
        problem: (any Error)? = nil,
        wrapping wrap: (Backend) -> Backend = { $0 }
    ) throws {
        var logger = Logger(label: "functions")
        logger.logLevel = .critical
        let random = SeededRandomSource(seed: 11)
        context = EngineContext(
            backend: wrap(MemoryBackend(clock: clock).open(isAtomic: false)),
            parts: parts,
            clock: clock,
            random: random,
            logger: logger
        )
        job = JobKey(systemAccountID: "account", indexName: "index", id: JobID(now: clock.now, random: random))
        let backend = context.backend
        functions = Functions(
            context,
            launcher: launcher,
            intake: FixedIntake(now: clock.now, problem: problem),
            schedule: TableSchedule(tables: backend.tables, clock: clock, owner: backend.owners.own)
        )
        steps = Steps(context)
    }

    /// Far enough not to come.
    var end: Timestamp { clock.now.advanced(by: .seconds(3600)) }

    /// Writes a job's record as a control plane does; what the change feed shows then.
    func ask(_ more: AttributeMap = [:]) async throws -> TableChange {
        let record: AttributeMap = [
            "pk": .string(job.systemAccountID), "sk": .string(job.sortKey), "reindex_id": .string(job.id.text),
            "job_status": .string("pending"), "note": .string("left alone"),
        ].merging(more) { $1 }
        try await context.backend.tables.transact([TableAction(Job.schema, job.itemKey, .put(record))])
        return TableChange(key: job.itemKey, old: nil, new: record)
    }

    var record: AttributeMap {
        get async throws { try #require(try await context.backend.tables.get(job.itemKey, in: Job.schema)) }
    }

    var stored: Job {
        get async throws { try Job(attributes: try await record) }
    }

    /// Asks for the job, launches it, and reads all that there is to read.
    func extract() async throws {
        #expect(await functions.launch([try await ask()], until: end).isEmpty)
        let job = try await stored
        try await steps.launch(job)
        for slice in 0..<job.concurrency { try await steps.extract(job, slice) }
    }

    /// Hands in everything that is visible in a queue, in batches of ten; deletes what was dealt with.
    ///
    /// - Returns: how many messages have to come again.
    @discardableResult
    func drain(
        _ queue: any MessageQueue,
        _ call: ([ReceivedMessage]) async -> Set<MessageReceipt>
    ) async throws -> Int {
        var left = 0
        while true {
            let batch = try await queue.receive(limit: 10, invisible: .seconds(60), wait: .zero)
            if batch.isEmpty { return left }
            let again = await call(batch)
            left += again.count
            try await queue.delete(batch.map(\.receipt).filter { !again.contains($0) })
        }
    }

    /// Delivers and books until nothing is visible; `times` says how often each call is made with the same.
    func work(times: Int = 1) async throws {
        try await drain(context.backend.queues.replay) { batch in
            var again: Set<MessageReceipt> = []
            for _ in 0..<times { again = await functions.deliver(batch, until: end) }
            return again
        }
        try await drain(context.backend.queues.progress) { batch in
            var again: Set<MessageReceipt> = []
            for _ in 0..<times { again = await functions.book(batch, until: end) }
            return again
        }
    }
}

/// Notes what is launched, and says of it what it is told.
final class NotingLauncher: Launcher {
    private struct State {
        var launched: [String] = []
        var standing = LaunchStanding.running
        var failure: PortError?
    }

    private let state = Mutex(State())

    var launched: [String] { state.withLock { $0.launched } }

    func fails(_ failure: PortError?) { state.withLock { $0.failure = failure } }
    func says(_ standing: LaunchStanding) { state.withLock { $0.standing = standing } }

    func launch(_ launch: Launch) async throws(PortError) -> Bool {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return state.withLock { state in
            guard !state.launched.contains(launch.name) else { return false }
            state.launched.append(launch.name)
            return true
        }
    }

    func standing(of launch: Launch) async throws(PortError) -> LaunchStanding {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return state.withLock { $0.standing }
    }
}

/// Plans a job of `FixedSource`, unless the record says that its source is away.
private struct FixedIntake: JobIntake {
    let now: Timestamp
    let problem: (any Error)?

    func plan(_ record: AttributeMap, key: JobKey) async throws -> PlannedJob {
        if let problem { throw problem }
        if record["away"] != nil { throw SourceError.transient("its source is away") }
        let description = SourceDescription(fingerprint: "fixed")
        let job = Job(
            key: key,
            reindexType: .post,
            concurrency: 2,
            source: "fixed:",
            sink: "sinks:",
            sourceDescription: description,
            now: now
        )
        let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
        return PlannedJob(job: job, match: match)
    }
}
