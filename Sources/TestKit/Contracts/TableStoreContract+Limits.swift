// What table stores promise about sizes and about requests that can never succeed.
import SluiceCore

extension TableStoreContract {
    static let limitCases: [ContractCase<Harness>] = [
        ContractCase("an item of 300 KB is kept", largeItem),
        ContractCase("an item over the size limit is refused, whether put or grown", tooLargeItem),
        ContractCase("a transaction holds 100 actions", hundredActions),
        ContractCase("a transaction of 101 actions or of none is refused, and writes nothing", wrongCount),
        ContractCase("two actions on one item are refused, and write nothing", twoOnOneItem),
        ContractCase("an item or a change that contradicts the key is refused", contradictsKey),
        ContractCase("writes without conditions put and delete any number of items", writesEach),
    ]

    static func largeItem(_ harness: Harness) async throws {
        let text = String(repeating: "0123456789", count: 15_000)
        let bytes = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let item: AttributeMap = ["text": .string(text), "bytes": .bytes(bytes)]
        try await harness.transact(put("p", "s", item))
        try await harness.transact(update("p", "s", [.add("n", 1)]))
        let read = try await harness.get("p", "s")
        try expect(read?["text"] == .string(text), "the text of 150 KB came back changed")
        try expect(read?["bytes"] == .bytes(bytes), "the bytes of 150 KB came back changed")
        try expect(read?["n"], equals: .int(1), "the number added later")
    }

    static func tooLargeItem(_ harness: Harness) async throws {
        let half = AttributeValue.bytes(Array(repeating: 1, count: 250 * 1024))
        try await expect(.invalidRequest, from: "an item of 500 KB") {
            try await harness.transact(put("p", "other"), put("p", "s", ["a": half, "b": half]))
        }
        try expect(try await harness.get("p", "s"), equals: nil, "the item that was refused")
        try expect(try await harness.get("p", "other"), equals: nil, "the other item of the transaction")
        try await harness.transact(put("p", "s", ["a": half]))
        try await expect(.invalidRequest, from: "an item grown to 500 KB") {
            try await harness.transact(update("p", "s", [.set("b", half)]))
        }
        try expect(try await harness.get("p", "s")?["b"], equals: nil, "the attribute that was refused")
    }

    static func hundredActions(_ harness: Harness) async throws {
        try await harness.store.transact((0..<100).map { put("p\($0 % 7)", "\($0)") })
        let read = try await harness.store.get((0..<100).map { ItemKey("p\($0 % 7)", "\($0)") }, in: items)
        try expect(read.filter { $0 != nil }.count, equals: 100, "how many items were written")
    }

    static func wrongCount(_ harness: Harness) async throws {
        try await expect(.invalidRequest, from: "a transaction of 101 actions") {
            try await harness.store.transact((0..<101).map { put("p", "\($0)") })
        }
        try await expect(.invalidRequest, from: "a transaction of no actions") {
            try await harness.store.transact([])
        }
        try expect(try await harness.all(TableQuery(partition: "p")).count, equals: 0, "how many items were written")
    }

    static func twoOnOneItem(_ harness: Harness) async throws {
        let pairs: [[TableAction]] = [
            [put("p", "s"), put("p", "s", ["a": .int(1)])],
            [put("p", "s"), delete("p", "s")],
            [update("p", "s", [.add("n", 1)]), put("p", "t"), update("p", "s", [.add("n", 1)])],
            [TableAction(items, ItemKey("p", "s"), .check, if: .itemAbsent), put("p", "s")],
        ]
        for actions in pairs {
            try await expect(.invalidRequest, from: "two actions on one item") {
                try await harness.store.transact(actions)
            }
            let written = try await harness.sorts(TableQuery(partition: "p"))
            try expect(written, equals: [], "what was written")
        }
        try await harness.transact(
            put("x", "x"),
            TableAction(singles, ItemKey("x"), .put(["id": .string("x")]))
        )
    }

    static func contradictsKey(_ harness: Harness) async throws {
        let key = ItemKey("p", "s")
        let bad: [TableAction.Effect] = [
            .put(item("p", "other")), .put(item("other", "s")), .put(["pk": .string("p")]),
            .put(["pk": .string("p"), "sk": .int(1)]), .update([.set("sk", .string("other"))]),
            .update([.remove("pk")]),
        ]
        for effect in bad {
            try await expect(.invalidRequest, from: "\(effect) at \(key)") {
                try await harness.transact(TableAction(items, key, effect))
            }
            try expect(try await harness.store.get(key, in: items), equals: nil, "the item")
        }
    }

    static func writesEach(_ harness: Harness) async throws {
        try await harness.fill("p", ["gone 1", "gone 2"])
        try await harness.store.writeEach(
            (0..<250).map { put("p", "\($0)") } + [delete("p", "gone 1"), delete("p", "gone 2"), delete("p", "never")]
        )
        let sorts = try await harness.sorts(TableQuery(partition: "p"))
        try expect(Set(sorts), equals: Set((0..<250).map(String.init)), "what is in the partition")
        try await harness.store.writeEach([])
    }
}
