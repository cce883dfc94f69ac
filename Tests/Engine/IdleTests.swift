// A worker is idle when nothing is under way any more, wherever a record may be while it looks.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("Idleness", .timeLimit(.minutes(10)))
struct IdleTests {
    @Test("a receipt that is confirmed while the worker looks is not overlooked", arguments: [true, false])
    func confirmedMeanwhile(isAtomic: Bool) async throws {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .later, fault: nil)), isAtomic: isAtomic)
        let context = world.context
        try await world.extract()
        try await world.steps.replay()
        try await JobControl(context).pause(world.job.id)
        #expect(try await world.end().status == .paused)
        try await context.clock.sleep(for: .seconds(2))
        let confirmer = Confirmer(context: context, cache: JobCache(context), sinks: SinkCache(context))
        let queue = WatchedQueue(base: context.backend.queues.progress) { depth in
            _ = try? await confirmer.poll()
            return depth
        }
        let watched = context.replacing(context.backend.replacing(progress: queue))
        let worker = worker(watched)
        #expect(try await !worker.isIdle())
        _ = try await confirmer.poll()
        #expect(try await !worker.isIdle())
        #expect(try await world.end().completedDocCount == FixedSource.delivered.count)
        #expect(try await worker.isIdle())
    }

    @Test("a job that no index shows yet is not overlooked")
    func hiddenJob() async throws {
        let clock = SkippingClock()
        let parts = FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil))
        let world = FixedWorld(parts, clock: clock, isAtomic: false) {
            $0.replacing(tables: LaggingTables($0.tables, showing: MemoryTableStore(clock: clock)))
        }
        let worker = worker(world.context)
        #expect(try await worker.isIdle())
        try await world.create()
        #expect(try await !worker.isIdle())
        try await JobControl(world.context).cancel(world.job.id)
        #expect(try await !worker.isIdle(), "what it leaves is still to be cleared away")
    }

    @Test("nobody says idle while a live job's record can't be read", arguments: [true, false])
    func unreadableJob(isAtomic: Bool) async throws {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), isAtomic: isAtomic)
        try await world.create()
        let worker = worker(world.context)
        let spoilt = TableAction(Job.schema, world.job.key, .update([Attribute<Job, Int>("concurrency").set(0)]))
        try await world.context.backend.tables.transact([spoilt])
        let error = await #expect(throws: PortError.self) { _ = try await worker.isIdle() }
        #expect(error?.message.contains("concurrency: must be 1 to 256") == true)
    }

    @Test("messages that the depth of their queue does not show yet are waited for", arguments: Stage.allCases)
    func hiddenMessages(stage: Stage) async throws {
        let sinks = FaultSinks(kind: .prompt, fault: nil)
        let world = try await paused(sinks)
        let context = world.context
        if stage == .booking { try await world.steps.replay() }
        let shown = context.now.advanced(by: context.settings.idleSettle / 2)
        @Sendable func tell(_ depth: QueueDepth) async -> QueueDepth {
            guard depth.total > 0 else { return depth }
            guard context.now >= shown else { return QueueDepth() }
            do {
                try await world.steps.replay()
                try await world.steps.book()
            } catch {
                Issue.record(error)
            }
            return depth
        }
        let queues = context.backend.queues
        let watched = context.backend.replacing(
            replay: WatchedQueue(base: queues.replay, tell: tell),
            progress: WatchedQueue(base: queues.progress, tell: tell)
        )
        try await worker(context.replacing(watched)).waitUntilIdle()
        #expect(try await JobStore(context).balance(of: world.job.id).completed == FixedSource.delivered.count)
        // Counted from when there was nothing to be seen any more.
        #expect(context.now >= shown.advanced(by: context.settings.idleSettle))
    }

    enum Stage: CaseIterable { case delivery, booking }

    @Test("deliveries that go on are noticed by the books, if not by the queues")
    func booksThatMove() async throws {
        let sinks = FaultSinks(kind: .prompt, fault: nil)
        let world = try await paused(sinks)
        let context = world.context
        let pace = Pace(next: context.now)
        let queue = WatchedQueue(base: context.backend.queues.replay) { _ in
            if pace.isDue(context.now, every: context.settings.idleSettle / 2) {
                do { try await world.deliverOne() } catch { Issue.record(error) }
            }
            return QueueDepth()
        }
        try await worker(context.replacing(context.backend.replacing(replay: queue))).waitUntilIdle()
        #expect(try await JobStore(context).balance(of: world.job.id).completed == FixedSource.delivered.count)
    }

    @Test("where depths are exact the first look decides")
    func exact() async throws {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), isAtomic: true)
        let before = world.context.now
        try await worker(world.context).waitUntilIdle()
        #expect(world.context.now == before)
    }

    /// A job that was paused when all of it had been extracted and nothing delivered.
    private func paused(_ sinks: FaultSinks) async throws -> FixedWorld {
        let world = FixedWorld(FaultParts(sinks: sinks), isAtomic: false)
        try await world.extract()
        try await JobControl(world.context).pause(world.job.id)
        #expect(try await world.end().status == .paused)
        return world
    }

    private func worker(_ context: EngineContext) -> Worker {
        let owner = context.backend.owners.own
        return Worker(
            context,
            schedule: TableSchedule(tables: context.backend.tables, clock: context.clock, owner: owner)
        )
    }

    /// Something that is done now and then.
    private final class Pace: Sendable {
        private let next: Mutex<Timestamp>

        init(next: Timestamp) { self.next = Mutex(next) }

        func isDue(_ now: Timestamp, every interval: Duration) -> Bool {
            next.withLock { next in
                guard now >= next else { return false }
                next = now.advanced(by: interval)
                return true
            }
        }
    }

    /// A queue that tells another depth than it has.
    private struct WatchedQueue: MessageQueue {
        let base: any MessageQueue
        let tell: @Sendable (QueueDepth) async -> QueueDepth
        var name: String { base.name }
        var bodyBytesMax: Int { base.bodyBytesMax }

        func send(_ messages: [OutgoingMessage]) async throws(PortError) { try await base.send(messages) }
        func receive(
            limit: Int,
            invisible: Duration,
            wait: Duration
        ) async throws(PortError) -> [ReceivedMessage] {
            try await base.receive(limit: limit, invisible: invisible, wait: wait)
        }
        func delete(_ receipts: [MessageReceipt]) async throws(PortError) { try await base.delete(receipts) }
        func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
            try await base.changeVisibility(receipts, invisible: invisible)
        }
        func depth() async throws(PortError) -> QueueDepth {
            await tell(try await base.depth())
        }
    }
}

extension EngineContext {
    /// The same on another backend.
    fileprivate func replacing(_ backend: Backend) -> EngineContext {
        EngineContext(
            backend: backend,
            parts: parts,
            settings: settings,
            clock: clock,
            random: random,
            logger: logger
        )
    }
}

extension FixedWorld {
    /// Brings one chunk to the sink, and books it.
    fileprivate func deliverOne() async throws {
        let cache = JobCache(context)
        let deliverer = Deliverer(
            context: context,
            cache: cache,
            gate: Gate(context, cache: cache),
            sinks: SinkCache(context)
        )
        let messages = try await context.backend.queues.replay.receive(
            limit: 1,
            invisible: context.settings.visibility,
            wait: .zero
        )
        for message in messages { try await deliverer.handle(message) }
        try await steps.book()
    }
}
