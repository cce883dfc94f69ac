// Chunks whose first message was overtaken: what is known of them decides, not that the message is the first.
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("The first message of a chunk")
struct FirstDeliveryTests {
    private static let chunks = 6

    @Test("brings the chunk to the sink, and leaves a receipt, an event and no message", arguments: [true, false])
    func delivers(isAtomic: Bool) async throws {
        let world = World(isAtomic: isAtomic)
        let messages = try await world.extracted()
        #expect(messages.count == Self.chunks)
        #expect(try messages.allSatisfy { try ChunkMessage(body: $0.body).isFirst == true })
        for message in messages { try await world.deliverer.handle(message) }
        #expect(world.sinks.acceptances == Self.chunks)
        #expect(try await world.receipts() == Self.chunks)
        #expect(try await world.depth(world.context.backend.queues.progress) == Self.chunks)
        #expect(try await world.depth(world.context.backend.queues.replay) == 0)
    }

    @Test("proves that its page was committed only where both are one transaction", arguments: [true, false])
    func withoutPage(isAtomic: Bool) async throws {
        let world = World(isAtomic: isAtomic)
        let messages = try await world.extracted()
        let first = try #require(messages.first)
        let chunk = try ChunkMessage(body: first.body).chunk
        let page = PageItem.key(job: chunk.job, slice: chunk.slice, page: chunk.page)
        let slice = SliceItem.key(job: chunk.job, index: chunk.slice)
        // As if the message had been sent before its page was committed.
        try await world.context.backend.tables.transact([
            TableAction(PageItem.schema, page, .delete),
            TableAction(SliceItem.schema, slice, .update([SliceItem.page.set(chunk.page)])),
        ])
        try await world.deliverer.handle(first)
        #expect(world.sinks.acceptances == (isAtomic ? 1 : 0))
        #expect(try await world.depth(world.context.backend.queues.replay) == (isAtomic ? 5 : 6))
        #expect(try await world.depth(world.context.backend.queues.progress) == (isAtomic ? 1 : 0))
    }

    @Test("does not bring it twice when it seemed stuck and was sent again meanwhile")
    func overtaken() async throws {
        let world = World(isAtomic: true)
        try await world.fixed.extract()
        let housekeeper = Housekeeper(world.context, gate: world.gate)
        try await housekeeper.repairStuck()
        try await world.context.clock.sleep(for: world.context.settings.repairAfter)
        try await housekeeper.repairStuck()
        let messages = try await world.receive()
        #expect(messages.count == 2 * Self.chunks)
        let isFirst = try messages.map { try ChunkMessage(body: $0.body).isFirst == true }
        #expect(isFirst.count { $0 } == Self.chunks)
        for wanted in [false, true] {
            for (message, isFirst) in zip(messages, isFirst) where isFirst == wanted {
                try await world.deliverer.handle(message)
            }
        }
        #expect(world.sinks.acceptances == Self.chunks)
        #expect(try await world.depth(world.context.backend.queues.replay) == 0)
    }

    @Test("does not bring it twice when whoever had it in hand went away after the sink had taken it")
    func comesBack() async throws {
        let world = World(isAtomic: true)
        let messages = try await world.extracted()
        let held = try #require(messages.first)
        try await world.deliverer.handle(held)
        // As if its end had been lost: the same message, received once more.
        try await world.deliverer.handle(
            ReceivedMessage(receipt: held.receipt, body: held.body, receiveCount: 2, sentAt: held.sentAt)
        )
        #expect(world.sinks.acceptances == 1)
    }

    @Test("does not bring it twice when its end could not be stored for a moment", arguments: FaultPlan.Moment.allCases)
    func storedLater(moment: FaultPlan.Moment) async throws {
        // Each page is a commit of its own, and the first chunk's end the next one.
        let world = World(isAtomic: true, failing: FaultPlan(failing: Self.chunks + 1, of: [.commit], moment: moment))
        for message in try await world.extracted() {
            do {
                try await world.deliverer.handle(message)
            } catch let error as PortError {
                // It was stored, and whoever tries again is told that it stands already.
                #expect(moment == .answerLost && error.code == .conditionFailed, "\(error)")
            }
        }
        #expect(world.sinks.acceptances == Self.chunks)
        #expect(try await world.receipts() == Self.chunks)
        #expect(try await world.depth(world.context.backend.queues.replay) == 0)
    }

    @Test("is not taken at its word once it has waited, whatever this process takes for long", arguments: [61, -5])
    func old(seconds: Int) async throws {
        let world = World(isAtomic: true)
        let messages = try await world.extracted()
        for message in messages { try await world.deliverer.handle(message) }
        // As if others had delivered what this process receives for the first time.
        for message in messages {
            let sentAt = world.context.clock.now.advanced(by: .seconds(-seconds))
            try await world.deliverer.handle(
                ReceivedMessage(receipt: message.receipt, body: message.body, receiveCount: 1, sentAt: sentAt)
            )
        }
        #expect(world.sinks.acceptances == Self.chunks)
    }

    /// A job with a sink that confirms later.
    private struct World {
        let sinks: FaultSinks
        let fixed: FixedWorld
        let gate: Gate
        let deliverer: Deliverer
        var context: EngineContext { fixed.context }

        init(isAtomic: Bool, failing plan: FaultPlan = FaultPlan()) {
            sinks = FaultSinks(kind: .later, fault: nil)
            fixed = FixedWorld(FaultParts(sinks: sinks), isAtomic: isAtomic, failing: plan)
            let cache = JobCache(fixed.context)
            gate = Gate(fixed.context, cache: cache)
            deliverer = Deliverer(context: fixed.context, cache: cache, gate: gate, sinks: SinkCache(fixed.context))
        }

        func extracted() async throws -> [ReceivedMessage] {
            try await fixed.extract()
            return try await receive()
        }

        func receive() async throws -> [ReceivedMessage] {
            try await context.backend.queues.replay.receive(limit: 100, invisible: .seconds(600), wait: .zero)
        }

        func depth(_ queue: any MessageQueue) async throws -> Int {
            let depth = try await queue.depth()
            return depth.visible + depth.invisible + depth.delayed
        }

        func receipts() async throws -> Int {
            let query = TableQuery(partition: fixed.job.id.text, range: .prefix("receipt#"))
            return try await context.receipts.all(query).count
        }
    }
}
