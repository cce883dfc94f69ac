// What queues promise about hiding a message while somebody works on it.
import SluiceCore

extension MessageQueueContract {
    static let visibilityCases: [ContractCase<Harness>] = [
        ContractCase("a received message stays hidden as long as was asked for, then comes again", redelivery),
        ContractCase("every delivery counts one more", receiveCounts),
        ContractCase("a receipt deletes until the message is received again, however late", overdueReceipt),
        ContractCase("a receipt from before the last delivery deletes nothing", staleDelete),
        ContractCase("a receipt from before the last delivery gives nothing back", staleVisibility),
        ContractCase("a stale receipt among good ones hinders none of them", mixedReceipts),
        ContractCase("hiding a message longer counts from now", longerVisibility),
        ContractCase("hiding a message shorter counts from now", shorterVisibility),
        ContractCase("a message given back is received at once", zeroVisibility),
        ContractCase("a message received with no hiding at all is there for the next", receivedWithZero),
        ContractCase("a deleted message can't be given back", deletedStaysDeleted),
    ]

    static func redelivery(_ harness: Harness) async throws {
        try await harness.send("a")
        let first = try await harness.receiveOne(invisible: .seconds(30))
        try await harness.expectNothing("somebody works on it")
        try await harness.advance(by: .seconds(29))
        try await harness.expectNothing("a second is left")
        try await harness.advance(by: .seconds(1))
        let second = try await harness.receiveOne()
        try expect(second.text, equals: "a", "the body of the second delivery")
        try expect(second.receipt != first.receipt, "two deliveries have the same receipt")
    }

    static func receiveCounts(_ harness: Harness) async throws {
        try await harness.send("a")
        for count in 1...5 {
            let message = try await harness.receiveOne(invisible: .seconds(10))
            try expect(message.receiveCount, equals: count, "the receive count")
            try await harness.advance(by: .seconds(10))
        }
    }

    static func overdueReceipt(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.advance(by: .seconds(60))
        try await harness.queue.delete([message.receipt])
        try await harness.expectNothing("it was deleted before anybody else received it")
    }

    static func staleDelete(_ harness: Harness) async throws {
        try await harness.send("a")
        let first = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.advance(by: .seconds(10))
        let second = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.queue.delete([first.receipt])
        try await harness.advance(by: .seconds(10))
        let third = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.queue.delete([first.receipt, second.receipt])
        try await harness.queue.delete([third.receipt])
        try await harness.advance(by: .seconds(10))
        try await harness.expectNothing("the last receipt deletes")
    }

    static func staleVisibility(_ harness: Harness) async throws {
        try await harness.send("a")
        let first = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.advance(by: .seconds(10))
        _ = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.queue.changeVisibility([first.receipt], invisible: .zero)
        try await harness.expectNothing("a stale receipt gives nothing back")
        try await harness.queue.changeVisibility([first.receipt], invisible: .seconds(600))
        try await harness.advance(by: .seconds(10))
        _ = try await harness.receiveOne()
    }

    static func mixedReceipts(_ harness: Harness) async throws {
        try await harness.send("a")
        let stale = try await harness.receiveOne(invisible: .seconds(1))
        try await harness.advance(by: .seconds(1))
        let good = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.send("b")
        let other = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.queue.changeVisibility([stale.receipt, good.receipt, other.receipt], invisible: .seconds(20))
        try await harness.advance(by: .seconds(15))
        try await harness.expectNothing("both were hidden longer")
        try await harness.queue.delete([other.receipt, stale.receipt, good.receipt])
        try await harness.advance(by: .seconds(20))
        try await harness.expectNothing("both were deleted")
    }

    static func longerVisibility(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne(invisible: .seconds(10))
        try await harness.advance(by: .seconds(8))
        try await harness.queue.changeVisibility([message.receipt], invisible: .seconds(10))
        try await harness.advance(by: .seconds(9))
        try await harness.expectNothing("17 s after a receipt, 9 s after it was prolonged to 10 s")
        try await harness.advance(by: .seconds(1))
        let second = try await harness.receiveOne()
        try expect(second.receiveCount, equals: 2, "the receive count; prolonging is no delivery")
    }

    static func shorterVisibility(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne(invisible: .seconds(600))
        try await harness.queue.changeVisibility([message.receipt], invisible: .seconds(5))
        try await harness.advance(by: .seconds(4))
        try await harness.expectNothing("a second is left")
        try await harness.advance(by: .seconds(1))
        _ = try await harness.receiveOne()
    }

    static func zeroVisibility(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne(invisible: .seconds(600))
        try await harness.queue.changeVisibility([message.receipt], invisible: .zero)
        let second = try await harness.receiveOne()
        try expect(second.receiveCount, equals: 2, "the receive count")
    }

    static func receivedWithZero(_ harness: Harness) async throws {
        try await harness.send("a")
        _ = try await harness.receiveOne(invisible: .zero)
        let second = try await harness.receiveOne()
        try expect(second.receiveCount, equals: 2, "the receive count")
    }

    static func deletedStaysDeleted(_ harness: Harness) async throws {
        try await harness.send("a")
        let message = try await harness.receiveOne()
        try await harness.queue.delete([message.receipt])
        try await harness.queue.changeVisibility([message.receipt], invisible: .zero)
        try await harness.expectNothing("it was deleted")
    }
}
