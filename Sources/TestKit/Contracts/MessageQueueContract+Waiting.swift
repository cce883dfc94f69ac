// What queues promise to a receiver that waits.
import SluiceCore

extension MessageQueueContract {
    static let waitingCases: [ContractCase<Harness>] = [
        ContractCase("a waiting receive wakes when a message is sent", wakesOnSend),
        ContractCase("every waiting receive gets its message", wakesEveryWaiter),
        ContractCase("a waiting receive wakes when a delayed message becomes due", wakesOnDelay),
        ContractCase("a waiting receive wakes when a hidden message becomes visible", wakesOnVisibility),
        ContractCase("a waiting receive wakes when a message is given back", wakesOnGivenBack),
        ContractCase("a waiting receive wakes for a delayed message that is sent meanwhile", wakesOnLateDelay),
        ContractCase("a receive that waited in vain returns with nothing, not before its time", waitsInVain),
        ContractCase("a waiting receive whose task is cancelled returns, and takes no message with it", cancelled),
        ContractCase("a receive in a cancelled task does not wait", cancelledBefore),
    ]

    /// A receive that waits for up to ten minutes.
    private static func waiting(_ harness: Harness) async throws -> Task<[ReceivedMessage], any Error> {
        try await harness.time.start {
            try await harness.queue.receive(limit: 1, invisible: .seconds(30), wait: .seconds(600))
        }
    }

    static func wakesOnSend(_ harness: Harness) async throws {
        let task = try await waiting(harness)
        try await harness.send("a")
        let received = try await harness.time.soon(task)
        try expect(received.map(\.text), equals: ["a"], "what the waiting receive brought")
    }

    static func wakesEveryWaiter(_ harness: Harness) async throws {
        let first = try await waiting(harness)
        let second = try await waiting(harness)
        let third = try await waiting(harness)
        try await harness.send("a", "b")
        try await harness.send("c")
        var texts: [String] = []
        for task in [first, second, third] { texts += try await harness.time.soon(task).map(\.text) }
        try expect(texts.sorted(), equals: ["a", "b", "c"], "what three waiting receives brought")
    }

    static func wakesOnDelay(_ harness: Harness) async throws {
        try await harness.send("a", delay: .seconds(20))
        let due = harness.time.now.advanced(by: .seconds(20))
        let task = try await waiting(harness)
        let received = try await harness.time.drive(task, limit: .seconds(60))
        try expect(received.map(\.text), equals: ["a"], "what the waiting receive brought")
        try expect(harness.time.now >= due, "the message came before its delay had passed")
    }

    static func wakesOnVisibility(_ harness: Harness) async throws {
        try await harness.send("a")
        _ = try await harness.receiveOne(invisible: .seconds(20))
        let task = try await waiting(harness)
        let received = try await harness.time.drive(task, limit: .seconds(60))
        try expect(received.map(\.receiveCount), equals: [2], "the receive count of what came")
    }

    static func wakesOnGivenBack(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne(invisible: .seconds(500))
        let task = try await waiting(harness)
        try await harness.queue.changeVisibility([message.receipt], invisible: .zero)
        let received = try await harness.time.soon(task)
        try expect(received.map(\.receiveCount), equals: [2], "the receive count of what came")
    }

    static func wakesOnLateDelay(_ harness: Harness) async throws {
        let task = try await waiting(harness)
        try await harness.send("a", delay: .seconds(20))
        let received = try await harness.time.drive(task, limit: .seconds(60))
        try expect(received.map(\.text), equals: ["a"], "what the waiting receive brought")
    }

    static func waitsInVain(_ harness: Harness) async throws {
        let time = harness.time
        let task = try await time.start {
            let begin = time.now
            let received = try await harness.queue.receive(limit: 1, invisible: .seconds(30), wait: .seconds(10))
            return (received.count, begin.duration(to: time.now))
        }
        let (count, waited) = try await time.drive(task, limit: .seconds(120))
        try expect(count, equals: 0, "how many messages came from an empty queue")
        // A peer's clock may differ from ours by a little.
        try expect(waited >= .milliseconds(9900), "it was to wait 10 s, and returned after \(waited)")
    }

    static func cancelled(_ harness: Harness) async throws {
        let task = try await waiting(harness)
        task.cancel()
        let received = try await harness.time.soon(task)
        try expect(received.map(\.text), equals: [], "what the cancelled receive brought")
        try await harness.send("a")
        if harness.cancelMayHide {
            if try await !harness.receive().isEmpty { return }
            try await harness.advance(by: .seconds(30))
        }
        _ = try await harness.receiveOne()
    }

    static func cancelledBefore(_ harness: Harness) async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await harness.queue.receive(limit: 1, invisible: .seconds(30), wait: .seconds(600))
        }
        let received = try await harness.time.soon(task)
        try expect(received.map(\.text), equals: [], "what the cancelled receive brought")
    }
}
