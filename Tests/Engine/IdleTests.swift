// A worker is idle when nothing is under way any more, wherever a record may be while it looks.
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("Idleness")
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
        let watched = context.replacingProgress { queue in
            OvertakenQueue(base: queue) { _ = try? await confirmer.poll() }
        }
        let tables = context.backend.tables
        let schedule = TableSchedule(tables: tables, clock: context.clock, owner: context.backend.owners.own)
        let worker = Worker(watched, schedule: schedule)
        #expect(try await !worker.isIdle())
        _ = try await confirmer.poll()
        #expect(try await !worker.isIdle())
        #expect(try await world.end().completedDocCount == FixedSource.delivered.count)
        #expect(try await worker.isIdle())
    }

    /// A queue whose depth is out of date when it is told.
    private struct OvertakenQueue: MessageQueue {
        let base: any MessageQueue
        let afterDepth: @Sendable () async -> Void
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
            let depth = try await base.depth()
            await afterDepth()
            return depth
        }
    }
}

extension EngineContext {
    /// The same but for its progress queue.
    fileprivate func replacingProgress(_ replace: (any MessageQueue) -> any MessageQueue) -> EngineContext {
        let queues = backend.queues
        return EngineContext(
            backend: Backend(
                tables: backend.tables,
                queues: Queues(
                    replay: queues.replay,
                    replayDeadLetters: queues.replayDeadLetters,
                    progress: replace(queues.progress),
                    progressDeadLetters: queues.progressDeadLetters
                ),
                objects: backend.objects,
                feed: backend.feed,
                owners: backend.owners,
                atomic: backend.atomic
            ),
            parts: parts,
            settings: settings,
            clock: clock,
            random: random,
            logger: logger
        )
    }
}
