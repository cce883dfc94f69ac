// How backends are put to the promise that a batch happens whole or not at all.
import SluiceCore

extension AtomicBackendContract {
    /// Sends a text to the work queue and receives it.
    private static func received(_ text: String, _ harness: Harness) async throws -> MessageReceipt {
        try await harness.work.send([OutgoingMessage(body: Array(text.utf8))])
        guard let message = try await harness.receive(harness.work).first else {
            throw ContractFailure("the message did not come")
        }
        return message.receipt
    }

    private static func delete(_ receipts: MessageReceipt...) -> AtomicBatch.Delete {
        AtomicBatch.Delete(queue: work.name, receipts: receipts)
    }

    static func together(_ harness: Harness) async throws {
        let receipt = try await received("done", harness)
        try await harness.backend.commit(
            AtomicBatch(
                actions: [Harness.put("a"), Harness.put("b", if: .itemAbsent)],
                sends: [Harness.send("next", "over"), Harness.send("told", to: events)],
                deletes: [delete(receipt)]
            )
        )
        try await harness.expect(items: ["a", "b"], work: ["next", "over"], events: ["told"], "what happened")
        try await harness.work.delete(harness.receive(harness.work).map(\.receipt))
        try await harness.time.advance(by: .seconds(30))
        let again = try await harness.receive(harness.work).map(\.text).sorted()
        try expect(again, equals: ["next", "over"], "what comes again")
    }

    static func failedCondition(_ harness: Harness) async throws {
        try await harness.store.transact([Harness.put("a")])
        let error = try await expect(.conditionFailed, from: "a batch with a failed condition") {
            try await harness.backend.commit(
                AtomicBatch(
                    actions: [Harness.put("b"), Harness.put("a", if: .itemAbsent), Harness.put("c", if: .itemExists)],
                    sends: [Harness.send("next"), Harness.send("told", to: events)]
                )
            )
        }
        try expect(error.failedActions, equals: [1, 2], "the failed actions")
        try await harness.expect(items: ["a"], work: [], events: [], "what happened")
    }

    static func refusedMessage(_ harness: Harness) async throws {
        let receipt = try await received("mine", harness)
        var refused = [OutgoingMessage(body: [1], delay: .seconds(901))]
        if harness.work.bodyBytesMax <= 64 << 20 {
            refused.append(OutgoingMessage(body: Array(repeating: 1, count: harness.work.bodyBytesMax + 1)))
        }
        for message in refused {
            try await expect(.invalidRequest, from: "a batch with a message of \(message.body.count) bytes") {
                try await harness.backend.commit(
                    AtomicBatch(
                        actions: [Harness.put("a")],
                        sends: [
                            Harness.send("told", to: events),
                            AtomicBatch.Send(queue: work.name, messages: [OutgoingMessage(body: [2]), message]),
                        ],
                        deletes: [delete(receipt)]
                    )
                )
            }
        }
        try await harness.time.advance(by: .seconds(30))
        try await harness.expect(items: [], work: ["mine"], events: [], "what happened")
    }

    static func refusedAction(_ harness: Harness) async throws {
        let bad: [[TableAction]] = [
            [Harness.put("a"), Harness.put("a")],
            [Harness.put("a"), TableAction(items, ItemKey("p", "b"), .update([.set("n", .null), .add("n", 1)]))],
        ]
        for actions in bad {
            try await expect(.invalidRequest, from: "a batch with an action that is refused") {
                try await harness.backend.commit(AtomicBatch(actions: actions, sends: [Harness.send("next")]))
            }
        }
        try await harness.expect(items: [], work: [], events: [], "what happened")
    }

    static func unknownQueue(_ harness: Harness) async throws {
        let nowhere = QueueSetup(name: "contract-nowhere")
        try await expect(.notFound, from: "a batch that sends to nowhere") {
            try await harness.backend.commit(
                AtomicBatch(
                    actions: [Harness.put("a")],
                    sends: [Harness.send("next"), Harness.send("lost", to: nowhere)]
                )
            )
        }
        try await harness.expect(items: [], work: [], events: [], "what happened")
    }

    static func staleReceipt(_ harness: Harness) async throws {
        let stale = try await received("mine", harness)
        try await harness.time.advance(by: .seconds(30))
        let current = try await harness.receive(harness.work)
        try await harness.backend.commit(
            AtomicBatch(
                actions: [Harness.put("a")],
                sends: [Harness.send("told", to: events)],
                deletes: [delete(stale)]
            )
        )
        try await harness.expect(items: ["a"], work: [], events: ["told"], "what happened")
        try await harness.time.advance(by: .seconds(30))
        let again = try await harness.receive(harness.work)
        try expect(again.map(\.text), equals: ["mine"], "the message of the stale receipt")
        try await harness.backend.commit(
            AtomicBatch(deletes: [delete(stale, MessageReceipt(token: "never one")), delete(again[0].receipt)])
        )
        try await harness.work.changeVisibility((current + again).map(\.receipt), invisible: .zero)
        try expect(try await harness.receive(harness.work).map(\.text), equals: [], "the message after its deletion")
    }

    static func partialBatches(_ harness: Harness) async throws {
        try await harness.backend.commit(AtomicBatch())
        try await harness.backend.commit(AtomicBatch(actions: [Harness.put("a")]))
        try await harness.backend.commit(AtomicBatch(sends: [Harness.send("next"), Harness.send()]))
        try await harness.expect(items: ["a"], work: ["next"], events: [], "what happened")
        let receipt = try await received("gone", harness)
        try await harness.backend.commit(AtomicBatch(deletes: [delete(receipt)]))
        try await harness.time.advance(by: .seconds(30))
        try expect(try await harness.receive(harness.work).map(\.text), equals: ["next"], "what is left")
    }

    static func hundredActions(_ harness: Harness) async throws {
        let puts = (100..<201).map { Harness.put("\($0)") }
        try await expect(.invalidRequest, from: "a batch of 101 actions") {
            try await harness.backend.commit(AtomicBatch(actions: puts, sends: [Harness.send("next")]))
        }
        try await harness.expect(items: [], work: [], events: [], "what happened")
        let texts = (0..<150).map { OutgoingMessage(body: Array("\($0)".utf8)) }
        let send = AtomicBatch.Send(queue: work.name, messages: texts)
        try await harness.backend.commit(AtomicBatch(actions: Array(puts.prefix(100)), sends: [send]))
        let found = try await harness.store.query(TableQuery(partition: "p", limit: 1000), in: items).items.count
        try expect(found, equals: 100, "how many items were written")
        try expect(try await harness.receive(harness.work).count, equals: 150, "how many messages came")
    }

    static func delays(_ harness: Harness) async throws {
        try await harness.backend.commit(AtomicBatch(sends: [Harness.send("later", delay: .seconds(60))]))
        try await harness.expect(items: [], work: [], events: [], "what is there at once")
        try await harness.time.advance(by: .seconds(60))
        try await harness.expect(items: [], work: ["later"], events: [], "what is there after the delay")
    }

    static func wakes(_ harness: Harness) async throws {
        let task = try await harness.time.start {
            try await harness.work.receive(limit: 1, invisible: .seconds(30), wait: .seconds(600))
        }
        try await harness.backend.commit(AtomicBatch(sends: [Harness.send("next")]))
        try expect(try await harness.time.soon(task).map(\.text), equals: ["next"], "what the waiting receive brought")
    }

    static func deleteUndone(_ harness: Harness) async throws {
        let receipt = try await received("mine", harness)
        try await expect(.conditionFailed, from: "a batch with a failed condition") {
            try await harness.backend.commit(
                AtomicBatch(actions: [Harness.put("a", if: .itemExists)], deletes: [delete(receipt)])
            )
        }
        try await harness.time.advance(by: .seconds(30))
        try await harness.expect(items: [], work: ["mine"], events: [], "what happened")
    }

    static func oneWinner(_ harness: Harness) async throws {
        let winners = try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<20 {
                group.addTask {
                    let batch = AtomicBatch(
                        actions: [Harness.put("a", if: .itemAbsent), Harness.put("of \(number)")],
                        sends: [Harness.send("\(number)"), Harness.send("\(number)", to: events)]
                    )
                    do {
                        try await harness.backend.commit(batch)
                        return ["\(number)"]
                    } catch let error as PortError where error.code == .conditionFailed {
                        return []
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        try expect(winners.count, equals: 1, "how many of twenty batches happened")
        let items = ["a"] + winners.map { "of \($0)" }
        try await harness.expect(items: items, work: winners, events: winners, "what happened")
    }
}
