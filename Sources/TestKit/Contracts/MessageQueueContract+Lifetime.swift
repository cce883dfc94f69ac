// What queues promise about delays, dead letters and how long a message is kept.
import SluiceCore

extension MessageQueueContract {
    static let lifetimeCases: [ContractCase<Harness>] = [
        ContractCase("a delayed message is hidden until its delay has passed", delays),
        ContractCase("messages of one call have each their own delay", mixedDelays),
        ContractCase("a message received as often as allowed moves to the dead-letter queue instead", redrives),
        ContractCase("a message that is deleted at its last delivery does not move", lastDeliveryCounts),
        ContractCase("a message that moved keeps its body and the time it was first sent", redriveKeeps),
        ContractCase("a receiver that waits at the dead-letter queue gets what moves there", redriveWakes),
        ContractCase("the receipt of a message that moved is ignored", redriveEndsReceipts),
        ContractCase("a message is gone once it has been kept for the queue's retention", retention),
        ContractCase("retention counts from sending, whatever happened since", retentionCountsFromSending),
    ]

    static func delays(_ harness: Harness) async throws {
        try await harness.send("a", delay: .seconds(60))
        try await harness.expectNothing("it is delayed")
        try await harness.advance(by: .seconds(59))
        try await harness.expectNothing("a second is left")
        try await harness.advance(by: .seconds(1))
        let message = try await harness.receiveOne()
        try expect(message.receiveCount, equals: 1, "the receive count; a delay is no delivery")
    }

    static func mixedDelays(_ harness: Harness) async throws {
        try await harness.queue.send([
            OutgoingMessage(body: Array("later".utf8), delay: .seconds(60)),
            OutgoingMessage(body: Array("now".utf8)),
            OutgoingMessage(body: Array("soon".utf8), delay: .seconds(30)),
        ])
        for (wanted, seconds) in [("now", 30), ("soon", 30), ("later", 0)] {
            let message = try await harness.receiveOne(invisible: .seconds(600))
            try expect(message.text, equals: wanted, "the message that is due")
            try await harness.advance(by: .seconds(seconds))
        }
    }

    /// Lets a message of the redriven queue come as often as it may.
    private static func useUp(_ harness: Harness) async throws -> MessageReceipt {
        try await harness.redriven.send([OutgoingMessage(body: Array("a".utf8))])
        var receipt = MessageReceipt(token: "")
        for count in 1...3 {
            let message = try await harness.receiveOne(invisible: .seconds(10), from: harness.redriven)
            try expect(message.receiveCount, equals: count, "the receive count")
            receipt = message.receipt
            try await harness.advance(by: .seconds(10))
        }
        return receipt
    }

    static func redrives(_ harness: Harness) async throws {
        _ = try await useUp(harness)
        try await harness.expectNothing("three deliveries are enough", from: harness.redriven)
        let message = try await harness.receiveOne(from: harness.deadLetters)
        try expect(message.text, equals: "a", "the body")
        try await harness.time.eventually {
            try expect(try await harness.redriven.depth(), equals: QueueDepth(), "the depth of the queue it left")
        }
    }

    static func lastDeliveryCounts(_ harness: Harness) async throws {
        let receipt = try await useUp(harness)
        try await harness.redriven.delete([receipt])
        try await harness.expectNothing("it was deleted", from: harness.redriven)
        try await harness.expectNothing("it was deleted", from: harness.deadLetters)
    }

    static func redriveKeeps(_ harness: Harness) async throws {
        let before = harness.time.now
        try await harness.redriven.send([OutgoingMessage(body: [0, 255, 7])])
        let after = harness.time.now
        for _ in 1...3 {
            _ = try await harness.receiveOne(invisible: .seconds(10), from: harness.redriven)
            try await harness.advance(by: .seconds(10))
        }
        try await harness.expectNothing("three deliveries are enough", from: harness.redriven)
        let message = try await harness.receiveOne(from: harness.deadLetters)
        try expect(message.body, equals: [0, 255, 7], "the body")
        try expect(
            before <= message.sentAt && message.sentAt <= after,
            "first sent between \(before) and \(after), but the message says \(message.sentAt)"
        )
    }

    static func redriveWakes(_ harness: Harness) async throws {
        _ = try await useUp(harness)
        let task = try await harness.time.start {
            try await harness.deadLetters.receive(limit: 1, invisible: .seconds(30), wait: .seconds(600))
        }
        try await harness.expectNothing("three deliveries are enough", from: harness.redriven)
        let received = try await harness.time.soon(task)
        try expect(received.map(\.text), equals: ["a"], "what came to the dead-letter queue")
    }

    static func redriveEndsReceipts(_ harness: Harness) async throws {
        let receipt = try await useUp(harness)
        try await harness.expectNothing("three deliveries are enough", from: harness.redriven)
        try await harness.redriven.delete([receipt])
        try await harness.redriven.changeVisibility([receipt], invisible: .zero)
        try await harness.expectNothing("it has moved", from: harness.redriven)
        _ = try await harness.receiveOne(from: harness.deadLetters)
    }

    static func retention(_ harness: Harness) async throws {
        try await harness.send("a")
        try await harness.advance(by: .seconds(3599))
        _ = try await harness.receiveOne(invisible: .zero)
        // A peer may take a while to notice; it must not deliver meanwhile.
        try await harness.advance(by: .seconds(2))
        try await harness.expectNothing("it was kept for an hour")
        try await harness.time.eventually {
            try expect(try await harness.queue.depth().total, equals: 0, "the depth")
        }
    }

    static func retentionCountsFromSending(_ harness: Harness) async throws {
        try await harness.send("a", delay: .seconds(900))
        try await harness.advance(by: .seconds(900))
        let message = try await harness.receiveOne(invisible: .seconds(3600))
        try await harness.advance(by: .seconds(2701))
        try await harness.queue.changeVisibility([message.receipt], invisible: .zero)
        try await harness.expectNothing("it was kept for an hour")
    }
}
