// What table stores promise about single items: what is kept, and how it changes.
import SluiceCore

extension TableStoreContract {
    static let itemCases: [ContractCase<Harness>] = [
        ContractCase("an item is read back as it was put, whatever its attributes hold", everyKind),
        ContractCase("numbers keep their value up to the ends of Int64", numbers),
        ContractCase("a number beyond a cloud's table is kept or refused, but not taken for another", farNumbers),
        ContractCase("there is nothing under a key that nobody has written", absent),
        ContractCase("a put replaces the whole item", putReplaces),
        ContractCase("items differ by partition key, by sort key and by table", distinctKeys),
        ContractCase("keys are told apart by their bytes, even where the letters look alike", keysAreBytes),
        ContractCase("a key with a null byte is kept or refused, but not taken for another", nullBytes),
        ContractCase("attributes may have any name", attributeNames),
        ContractCase("a delete removes the item, and an absent one is no error", deletes),
        ContractCase("an update changes what it names and keeps the rest", updates),
        ContractCase("an update of an absent item creates it with its key and the changes", upsert),
        ContractCase("an addition counts an absent attribute as 0", additions),
        ContractCase("an addition to what is not a whole number, or has no room for it, changes nothing", badAdditions),
        ContractCase("a check writes nothing", checks),
        ContractCase("many keys are read in their order, with holes where nothing is", batchGet),
    ]

    static func everyKind(_ harness: Harness) async throws {
        let whole: AttributeMap = [
            "null": .null, "true": .bool(true), "false": .bool(false), "int": .int(-7), "double": .double(0.1),
            "text": .string("Grüße, 世界 👩‍👩‍👧"), "newline": .string("a\nb\tc\"'\\"), "empty": .string(""),
            "bytes": .bytes(Array(0...255)), "no bytes": .bytes([]), "no list": .list([]), "no map": .map([:]),
            "list": .list([.int(1), .string("2"), .null, .list([.bool(true)]), .map(["a": .bytes([1])])]),
            "map": .map(["a": .int(1), "b": .map(["c": .list([.double(2.5)])])]),
        ]
        try await harness.transact(put("p", "s", whole))
        try expect(try await harness.get("p", "s"), equals: item("p", "s", whole), "the item")
        let read = try await harness.get("p", "s")
        for (name, value) in whole { try expect(read?[name], equals: value, "attribute \(name)") }
    }

    static func numbers(_ harness: Harness) async throws {
        let whole: [Int64] = [0, 1, -1, .max, .min, .max - 1, 1 << 53 + 1, -(1 << 53) - 1]
        let broken: [Double] = [0.1, -0.1, 1.5e-10, 123_456_789.123_456_79, 1.000_000_000_000_000_2, 2.5e100]
        let item: AttributeMap = [
            "whole": .list(whole.map { .int($0) }), "broken": .list(broken.map { .double($0) }),
            "max": .int(.max), "min": .int(.min),
        ]
        try await harness.transact(put("p", "s", item))
        let read = try await harness.get("p", "s")
        for (name, value) in item where name != "broken" { try expect(read?[name], equals: value, name) }
        guard case .list(let values)? = read?["broken"] else { throw ContractFailure("the list of doubles is gone") }
        try expect(values.count, equals: broken.count, "how many doubles came back")
        for (value, wanted) in zip(values, broken) {
            try expect(value.isStoredAlike(.double(wanted)), "\(wanted) came back as \(value)")
        }
    }

    static func farNumbers(_ harness: Harness) async throws {
        for number in [1e200, -1e126, 1e-131, -1e-300, .infinity, -.infinity] {
            try await harness.transact(put("p", "s", ["n": .int(1)]))
            do {
                try await harness.store.transact([update("p", "s", [.set("n", .double(number))])])
            } catch {
                try expect(error.code, equals: .invalidRequest, "the refusal of \(number)")
                try expect(try await harness.get("p", "s")?["n"], equals: .int(1), "the number that was there")
                continue
            }
            try expect(try await harness.get("p", "s")?["n"], equals: .double(number), "the number")
        }
    }

    static func absent(_ harness: Harness) async throws {
        try expect(try await harness.get("p", "s"), equals: nil, "the item")
        try await harness.transact(put("p", "s"))
        try expect(try await harness.get("p", "other"), equals: nil, "an item of the partition")
        try expect(try await harness.get("other", "s"), equals: nil, "an item of another partition")
    }

    static func putReplaces(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s", ["a": .int(1), "b": .int(2)]))
        try await harness.transact(put("p", "s", ["b": .int(3)]))
        try expect(try await harness.get("p", "s"), equals: item("p", "s", ["b": .int(3)]), "the item")
    }

    static func distinctKeys(_ harness: Harness) async throws {
        let keys = [("p", "s"), ("p", "t"), ("q", "s"), ("p#s", "s"), ("p", "s#s"), ("ps", "s"), ("P", "s")]
        for (number, key) in keys.enumerated() {
            try await harness.transact(put(key.0, key.1, ["n": number.attributeValue]))
        }
        let single: AttributeMap = ["id": .string("p"), "n": .int(99)]
        try await harness.transact(TableAction(singles, ItemKey("p"), .put(single)))
        for (number, key) in keys.enumerated() {
            let read = try await harness.get(key.0, key.1)
            try expect(read?["n"], equals: number.attributeValue, "what is under \(key)")
        }
        try expect(try await harness.store.get(ItemKey("p"), in: singles), equals: single, "what is in the other table")
    }

    static func keysAreBytes(_ harness: Harness) async throws {
        let composed = "caf\u{E9}", decomposed = "cafe\u{301}"
        try await harness.transact(
            put("p", composed, ["n": .int(1)]),
            put("p", decomposed, ["n": .int(2)]),
            put(composed, "s", ["n": .int(3)]),
            put(decomposed, "s", ["n": .int(4)])
        )
        let keys = [("p", composed), ("p", decomposed), (composed, "s"), (decomposed, "s")].map { ItemKey($0.0, $0.1) }
        let read = try await harness.store.get(keys, in: items)
        try expect(read.map { $0?["n"] }, equals: [.int(1), .int(2), .int(3), .int(4)], "what is under the four keys")
        for key in keys.prefix(2) {
            let same = try await harness.store.get(key, in: items)?["sk"]?.isStoredAlike(.string(key.sort ?? ""))
            try expect(same == true, "the key came back with other bytes")
        }
        try await harness.transact(delete("p", composed))
        let other = try await harness.get("p", decomposed)
        try expect(other?["n"], equals: .int(2), "the one that was not deleted")
    }

    static func nullBytes(_ harness: Harness) async throws {
        try await harness.transact(put("a", "a", ["n": .int(1)]))
        do {
            try await harness.store.transact([put("a\0b", "a\0b", ["n": .int(2), "text": .string("x\0y")])])
        } catch {
            try expect(error.code, equals: .invalidRequest, "the refusal")
            try expect(try await harness.get("a", "a")?["n"], equals: .int(1), "the other item")
            return
        }
        let read = try await harness.get("a\0b", "a\0b")
        try expect(read?["text"], equals: .string("x\0y"), "a text with a null byte")
        try expect(read?["sk"], equals: .string("a\0b"), "a key with a null byte")
        try expect(try await harness.get("a", "a")?["n"], equals: .int(1), "the other item")
    }

    static func attributeNames(_ harness: Harness) async throws {
        let names = ["status", "name", "a.b", "a-b", "a b", "#x", ":y", "日本", "'\"", "$.a[0]", "1", "values", "NULL"]
        try await harness.transact(put("p", "s", ["count": .int(0)]))
        for name in names {
            try await harness.transact(
                update("p", "s", [.set(name, .string(name)), .add("\(name)+", 2)], if: .attributeAbsent(name))
            )
            try await harness.transact(update("p", "s", [.add("count", 1)], if: .compare(name, .equal, .string(name))))
        }
        let read = try await harness.get("p", "s") ?? [:]
        for name in names {
            try expect(read[name], equals: .string(name), "attribute \(name)")
            try expect(read["\(name)+"], equals: .int(2), "attribute \(name)+")
        }
        try expect(read["count"], equals: names.count.attributeValue, "how many names a condition found")
    }

    static func deletes(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s"))
        try await harness.transact(delete("p", "s"))
        try expect(try await harness.get("p", "s"), equals: nil, "the item")
        try await harness.transact(delete("p", "s"))
    }

    static func updates(_ harness: Harness) async throws {
        let old: AttributeMap = ["keep": .int(1), "change": .int(2), "gone": .int(3), "count": .int(4)]
        try await harness.transact(put("p", "s", old))
        try await harness.transact(
            update("p", "s", [.set("change", .string("x")), .remove("gone"), .remove("never"), .add("count", -5)])
        )
        let wanted = item("p", "s", ["keep": .int(1), "change": .string("x"), "count": .int(-1)])
        try expect(try await harness.get("p", "s"), equals: wanted, "the item")
    }

    static func upsert(_ harness: Harness) async throws {
        try await harness.transact(update("p", "s", [.set("a", .int(1)), .add("b", 2), .remove("c")]))
        let wanted = item("p", "s", ["a": .int(1), "b": .int(2)])
        try expect(try await harness.get("p", "s"), equals: wanted, "the item")
        try await harness.transact(update("p", "empty", []))
        try expect(try await harness.get("p", "empty"), equals: item("p", "empty"), "an item of nothing but its key")
        try await harness.transact(TableAction(singles, ItemKey("x"), .update([.add("n", 1)])))
        let single = try await harness.store.get(ItemKey("x"), in: singles)
        try expect(single, equals: ["id": .string("x"), "n": .int(1)], "an item without sort key")
    }

    static func additions(_ harness: Harness) async throws {
        for amount: Int64 in [5, -7, 0] { try await harness.transact(update("p", "s", [.add("n", amount)])) }
        try expect(try await harness.get("p", "s")?["n"], equals: .int(-2), "the sum")
        try await harness.transact(update("p", "s", [.set("n", .int(.max - 1))]))
        try await harness.transact(update("p", "s", [.add("n", 1)]))
        try expect(try await harness.get("p", "s")?["n"], equals: .int(.max), "the largest whole number")
    }

    static func badAdditions(_ harness: Harness) async throws {
        let values: [AttributeValue] = [.string("1"), .null, .list([]), .int(.max), .bool(true)]
        for value in values {
            try await harness.transact(put("p", "s", ["n": value]))
            try await expect(.invalidRequest, from: "adding to \(value)") {
                try await harness.transact(put("p", "other"), update("p", "s", [.set("a", .int(1)), .add("n", 1)]))
            }
            try expect(try await harness.get("p", "s"), equals: item("p", "s", ["n": value]), "the item")
            try expect(try await harness.get("p", "other"), equals: nil, "the other item of the transaction")
        }
    }

    static func checks(_ harness: Harness) async throws {
        try await harness.transact(TableAction(items, ItemKey("p", "s"), .check, if: .itemAbsent))
        try expect(try await harness.get("p", "s"), equals: nil, "the item")
        try await harness.transact(put("p", "s", ["a": .int(1)]))
        try await harness.transact(TableAction(items, ItemKey("p", "s"), .check, if: .itemExists))
        try expect(try await harness.get("p", "s"), equals: item("p", "s", ["a": .int(1)]), "the item")
    }

    static func batchGet(_ harness: Harness) async throws {
        let even = (0..<50).map { $0 * 2 }
        try await harness.store.transact(even.map { put("p\($0 / 2 % 3)", "\($0)", ["n": $0.attributeValue]) })
        let numbers = Array((0..<100).reversed())
        let read = try await harness.store.get(numbers.map { ItemKey("p\($0 / 2 % 3)", "\($0)") }, in: items)
        let wanted = numbers.map { $0 % 2 == 0 ? $0.attributeValue : nil }
        try expect(read.map { $0?["n"] }, equals: wanted, "what is under a hundred keys")
        try expect(try await harness.store.get([], in: items).count, equals: 0, "what is under no keys")
    }
}
