// What queues promise about bodies, limits and who receives what.
import SluiceCore

extension MessageQueueContract {
    static let deliveryCases: [ContractCase<Harness>] = [
        ContractCase("a message that was sent is received, and is gone once it is deleted", sendReceiveDelete),
        ContractCase("a queue in which nothing is, gives nothing", emptyQueue),
        ContractCase("bodies come back byte for byte: empty, binary and as large as allowed", bodies),
        ContractCase("a body that is too large is refused, and nothing of the call is sent", tooLarge),
        ContractCase("a delay of more than 15 minutes is refused, and nothing of the call is sent", tooLateDelay),
        ContractCase("a receive brings no more messages than it asked for", limits),
        ContractCase("one call sends and one call deletes a thousand messages", thousands),
        ContractCase("sending nothing and deleting nothing is no error", nothing),
        ContractCase("each message goes to one receiver at a time, however many receive", oneReceiverAtATime),
        ContractCase("messages sent by many tasks at once all arrive", manySenders),
        ContractCase("the time of sending is the queue's time", sentAt),
        ContractCase("the depth counts the visible, the invisible and the delayed", depth),
    ]

    static func sendReceiveDelete(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne()
        try expect(message.text, equals: "a", "the body")
        try expect(message.receiveCount, equals: 1, "the receive count of the first delivery")
        try await harness.queue.delete([message.receipt])
        try await harness.advance(by: .seconds(31))
        try await harness.expectNothing("a deleted message does not come back")
        try await harness.queue.delete([message.receipt])
    }

    static func emptyQueue(_ harness: Harness) async throws {
        try await harness.expectNothing("nothing was sent")
        let depth = try await harness.queue.depth()
        try expect(depth, equals: QueueDepth(), "the depth of an empty queue")
    }

    static func bodies(_ harness: Harness) async throws {
        let largest = min(harness.queue.bodyBytesMax, 1 << 20)
        let bodies: [[UInt8]] = [
            [], [0], Array(0...255), [0xFF, 0xFE, 0xC0, 0x80],
            (0..<largest).map { UInt8(truncatingIfNeeded: $0 &* 31) },
        ]
        for body in bodies {
            try await harness.queue.send([OutgoingMessage(body: body)])
            let message = try await harness.receiveOne()
            try expect(message.body == body, "a body of \(body.count) bytes came back as \(message.body.count) others")
            try await harness.queue.delete([message.receipt])
        }
    }

    static func tooLarge(_ harness: Harness) async throws {
        let limit = harness.queue.bodyBytesMax
        // A queue that takes more than any test should send has nothing to show here.
        guard limit <= 64 << 20 else { return }
        try await expect(.invalidRequest, from: "a body of \(limit + 1) bytes") {
            try await harness.queue.send([
                OutgoingMessage(body: Array("small".utf8)),
                OutgoingMessage(body: Array(repeating: 1, count: limit + 1)),
            ])
        }
        try await harness.expectNothing("a refused call sends nothing")
    }

    static func tooLateDelay(_ harness: Harness) async throws {
        try await expect(.invalidRequest, from: "a delay of 901 s") {
            try await harness.queue.send([
                OutgoingMessage(body: [1]),
                OutgoingMessage(body: [2], delay: .seconds(901)),
            ])
        }
        try await harness.expectNothing("a refused call sends nothing")
        try await harness.queue.send([OutgoingMessage(body: [3], delay: .seconds(900))])
    }

    static func limits(_ harness: Harness) async throws {
        for number in 0..<25 { try await harness.send("\(number)") }
        let received = try await harness.drain(limit: 4)
        try expect(Set(received.map(\.text)).count, equals: 25, "how many messages came in calls of 4")
        try expect(received.count, equals: 25, "how many deliveries there were")
    }

    static func thousands(_ harness: Harness) async throws {
        try await harness.queue.send((0..<1000).map { OutgoingMessage(body: Array("\($0)".utf8)) })
        let received = try await harness.drain(limit: 1000)
        try expect(Set(received.map(\.text)).count, equals: 1000, "how many of a thousand messages came")
        try expect(Set(received.map(\.receipt)).count, equals: 1000, "how many receipts they had")
        try await harness.queue.delete(received.map(\.receipt))
        try await harness.time.eventually {
            try expect(try await harness.queue.depth(), equals: QueueDepth(), "the depth after deleting all")
        }
    }

    static func nothing(_ harness: Harness) async throws {
        try await harness.queue.send([])
        try await harness.queue.delete([])
        try await harness.queue.changeVisibility([], invisible: .seconds(5))
        try await harness.expectNothing("nothing was sent")
    }

    static func oneReceiverAtATime(_ harness: Harness) async throws {
        try await harness.queue.send((0..<200).map { OutgoingMessage(body: Array("\($0)".utf8)) })
        let texts = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask { try await harness.drain(limit: 7).map(\.text) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try expect(texts.count, equals: 200, "how many deliveries eight receivers got of 200 messages")
        try expect(Set(texts).count, equals: 200, "how many messages they were")
    }

    static func manySenders(_ harness: Harness) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<10 {
                group.addTask {
                    for number in 0..<10 { try await harness.send("\(task).\(number)") }
                }
            }
            try await group.waitForAll()
        }
        let received = try await harness.drain()
        try expect(Set(received.map(\.text)).count, equals: 100, "how many messages of ten senders came")
    }

    static func sentAt(_ harness: Harness) async throws {
        let before = harness.time.now
        try await harness.send("a")
        let after = harness.time.now
        try await harness.advance(by: .seconds(5))
        let first = try await harness.receiveOne(invisible: .seconds(1))
        try await harness.advance(by: .seconds(2))
        let second = try await harness.receiveOne()
        try expect(
            before <= first.sentAt && first.sentAt <= after,
            "sent between \(before) and \(after), but the message says \(first.sentAt)"
        )
        try expect(second.sentAt, equals: first.sentAt, "the time of sending at the second delivery")
    }

    static func depth(_ harness: Harness) async throws {
        try await harness.send("a", "b", "c")
        try await harness.send("d", delay: .seconds(60))
        let received = try await harness.receive(1)
        try await harness.time.eventually {
            let depth = try await harness.queue.depth()
            try expect(depth, equals: QueueDepth(visible: 2, invisible: 1, delayed: 1), "the depth")
            try expect(depth.total, equals: 4, "the total")
        }
        try await harness.queue.delete(received.map(\.receipt))
        try await harness.advance(by: .seconds(60))
        try await harness.time.eventually {
            let depth = try await harness.queue.depth()
            try expect(depth, equals: QueueDepth(visible: 3), "the depth after the delay has passed")
        }
    }
}
