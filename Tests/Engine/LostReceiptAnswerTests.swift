// Receipts that were stored, although nobody was told.
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("A receipt whose storing is answered by nothing", .timeLimit(.minutes(10)))
struct LostReceiptAnswerTests {
    @Test("ends its delivery all the same")
    func delivered() async throws {
        let plain = FaultPlan(of: [.storeWrite])
        try await world(plain, FaultSinks(kind: .later, fault: nil)).extract()
        // The next write is the first receipt's.
        let plan = FaultPlan(failing: plain.callCount + 1, of: [.storeWrite], moment: .answerLost)
        let sinks = FaultSinks(kind: .later, fault: nil)
        let world = world(plan, sinks)
        try await world.extract()
        try await world.steps.replay()
        #expect(plan.log.contains { $0.fault != nil && $0.name == "transact \(ReceiptItem.schema.name)" })
        #expect(sinks.acceptances == ConfirmingWorld.chunks)
        #expect(try await world.context.backend.queues.replay.depth() == QueueDepth())
    }

    @Test("takes the place of the one before, whichever write of a poll it is")
    func deliveredAgain() async throws {
        try await FaultPlan.failingEachCall(of: [.storeWrite], moment: .answerLost) { plan in
            let sink = TellingSink { _ in .failed(reason: "busy") }
            let world = try await ConfirmingWorld(sink)
            try await world.poll(world.context(plan))
            let struck = plan.log.filter { $0.fault != nil }
            #expect(sink.delivered.count == 2 * ConfirmingWorld.chunks, "\(struck)")
            #expect(try await world.openReceipts() == ConfirmingWorld.chunks)
        }
    }

    @Test("is not taken for another of the same name")
    func another() async throws {
        let world = world(FaultPlan(), FaultSinks(kind: .later, fault: nil))
        try await world.extract()
        try await world.steps.replay()
        let context = world.context
        let prefix = TableQuery(partition: world.job.id.text, range: .prefix("receipt#"), limit: 1)
        let stored = try #require(try await context.receipts.query(prefix).items.first)
        var other = stored
        other.attempt += 1
        let plan = FaultPlan(failing: 1, of: [.storeWrite], moment: .notApplied)
        let failing = EngineContext(
            backend: context.backend.failing(by: plan),
            parts: context.parts,
            clock: context.clock,
            random: context.random,
            logger: context.logger
        )
        let error = await #expect(throws: PortError.self) {
            try await failing.conclude(AtomicBatch(actions: [try Table<ReceiptItem>.putting(other, if: .itemAbsent)]))
        }
        #expect(error?.code == .conditionFailed)
        #expect(try await context.receipts.get(stored.key) == stored)
    }

    private func world(_ plan: FaultPlan, _ sinks: FaultSinks) -> FixedWorld {
        FixedWorld(FaultParts(sinks: sinks), isAtomic: false, failing: plan)
    }
}
