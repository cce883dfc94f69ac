// Chunks whose receives are used up: by processes that die with them in hand, or because nobody can handle them.
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("Chunks whose receives are used up")
struct UndeliverableTests {
    private let sinks: FaultSinks
    private let world: FixedWorld
    private var steps: Steps { world.steps }

    init() {
        sinks = FaultSinks(kind: .prompt, fault: nil)
        world = FixedWorld(FaultParts(sinks: sinks))
    }

    @Test("are delivered after all when it was the workers that died")
    func died() async throws {
        try await world.extract()
        for _ in 0..<Housekeeper.returnsMax {
            try await useUpReceives()
            try await steps.emptyDeadLetterQueues()
        }
        try await world.context.clock.sleep(for: .seconds(60))
        let ended = try await moveOn()
        #expect(ended.status == .completed)
        #expect(ended.completedDocCount == FixedSource.delivered.count)
        #expect(sinks.held == FixedSource.delivered)
    }

    @Test("become dead letters that say so when nobody can ever handle them")
    func neverHandled() async throws {
        try await world.extract()
        for _ in 0...Housekeeper.returnsMax {
            try await useUpReceives()
            try await steps.emptyDeadLetterQueues()
        }
        let ended = try await moveOn()
        #expect(ended.status == .completedWithFailures)
        #expect(ended.deadLetteredDocCount == FixedSource.delivered.count)
        #expect(sinks.held.isEmpty)
        let dead = try await DeadLetters(world.context).list(world.job.id, limit: 100, after: nil).letters
        #expect(dead.count == FixedSource.delivered.count)
        #expect(dead.allSatisfy { $0.reason.hasPrefix("undeliverable") && !$0.payload.isEmpty })
    }

    /// Receives what there is, again and again, without handling it, until nothing can be received any more.
    private func useUpReceives() async throws {
        let queue = world.context.backend.queues.replay
        var most = 0
        while true {
            // What was put off comes after a while.
            try await world.context.clock.sleep(for: .seconds(60))
            let messages = try await queue.receive(limit: 100, invisible: .seconds(1), wait: .zero)
            most = max(most, messages.map(\.receiveCount).max() ?? 0)
            guard !messages.isEmpty else { break }
        }
        #expect(most == 8, "the queue gives a message up after 8 receives")
    }

    private func moveOn() async throws -> Job {
        try await steps.replay()
        return try await world.end()
    }
}
