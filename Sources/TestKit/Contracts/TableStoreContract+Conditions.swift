// What table stores promise about conditions, each kind on a stored item and on none.
import SluiceCore

extension TableStoreContract {
    static let conditionCases: [ContractCase<Harness>] = [
        ContractCase("conditions on a stored item hold and fail as they should", conditionsOnItem),
        ContractCase("conditions on no item hold and fail as they should", conditionsOnNothing),
        ContractCase("a put, an update and a delete happen only if their condition holds", everyEffectIsConditional),
        ContractCase("a put if absent succeeds once", putIfAbsent),
        ContractCase("a condition sees the item as it was before the write", conditionSeesOld),
    ]

    static let sample: AttributeMap = [
        "int": .int(10), "double": .double(2.5), "text": .string("m"), "accent": .string("\u{E9}"), "null": .null,
        "bytes": .bytes([1, 200]), "yes": .bool(true), "list": .list([.int(1)]), "map": .map(["a": .int(1)]),
        "max": .int(.max),
    ]

    /// Conditions, and whether they hold for `sample`.
    static let onItem: [(Condition, Bool)] = [
        (.itemExists, true), (.itemAbsent, false),
        (.attributeExists("int"), true), (.attributeExists("null"), true), (.attributeExists("none"), false),
        (.attributeAbsent("int"), false), (.attributeAbsent("null"), false), (.attributeAbsent("none"), true),
        (.compare("int", .equal, .int(10)), true), (.compare("int", .equal, .int(11)), false),
        (.compare("int", .notEqual, .int(10)), false), (.compare("int", .notEqual, .int(11)), true),
        (.compare("int", .less, .int(10)), false), (.compare("int", .less, .int(11)), true),
        (.compare("int", .lessOrEqual, .int(10)), true), (.compare("int", .lessOrEqual, .int(9)), false),
        (.compare("int", .greater, .int(10)), false), (.compare("int", .greater, .int(9)), true),
        (.compare("int", .greaterOrEqual, .int(10)), true), (.compare("int", .greaterOrEqual, .int(11)), false),
        // As numbers, not as text; and exactly, not as doubles.
        (.compare("int", .greater, .int(9)), true), (.compare("int", .less, .int(100)), true),
        (.compare("max", .equal, .int(.max - 1)), false), (.compare("max", .greater, .int(.max - 1)), true),
        (.compare("double", .equal, .double(2.5)), true), (.compare("double", .less, .double(10.5)), true),
        (.compare("double", .greater, .int(2)), true), (.compare("int", .less, .double(10.5)), true),
        (.compare("text", .equal, .string("m")), true), (.compare("text", .equal, .string("M")), false),
        (.compare("text", .less, .string("n")), true), (.compare("text", .greater, .string("Z")), true),
        (.compare("text", .greater, .string("")), true), (.compare("text", .less, .string("ma")), true),
        // By bytes: the composed letter is not the decomposed one, and comes after z.
        (.compare("accent", .equal, .string("e\u{301}")), false), (.compare("accent", .greater, .string("z")), true),
        (.compare("bytes", .equal, .bytes([1, 200])), true), (.compare("bytes", .greater, .bytes([1, 100])), true),
        (.compare("bytes", .less, .bytes([2])), true), (.compare("bytes", .greater, .bytes([1])), true),
        (.compare("yes", .equal, .bool(true)), true), (.compare("yes", .equal, .bool(false)), false),
        (.compare("null", .equal, .null), true), (.compare("list", .equal, .list([.int(1)])), true),
        (.compare("list", .equal, .list([.int(2)])), false), (.compare("map", .equal, .map(["a": .int(1)])), true),
        // Another kind compares with nothing, and is not equal.
        (.compare("int", .equal, .string("10")), false), (.compare("int", .less, .string("9")), false),
        (.compare("int", .greater, .string("9")), false), (.compare("int", .lessOrEqual, .string("10")), false),
        (.compare("int", .notEqual, .string("10")), true), (.compare("text", .greaterOrEqual, .bytes([109])), false),
        (.compare("yes", .equal, .int(1)), false), (.compare("null", .less, .int(1)), false),
        (.compare("none", .equal, .null), false), (.compare("none", .less, .int(1)), false),
        (.compare("none", .greaterOrEqual, .int(0)), false), (.compare("none", .notEqual, .int(1)), true),
        (.compare("pk", .equal, .string("p")), true),
    ]

    /// Combinations, of a condition that holds for `sample` and one that does not.
    static let combinations: [(Condition, Bool)] = {
        let yes = Condition.attributeExists("int"), no = Condition.attributeExists("none")
        return [
            (.not(yes), false), (.not(no), true), (.not(.not(yes)), true),
            (.all([yes, yes]), true), (.all([yes, no]), false), (.all([no, yes]), false), (.all([yes]), true),
            (.any([no, no]), false), (.any([yes, no]), true), (.any([no, yes]), true), (.any([no]), false),
            (.all([]), true), (.any([]), false), (.not(.all([])), false),
            (.all([yes, .any([no, .not(no)]), .not(.all([yes, no]))]), true),
            (.any([.all([yes, no]), .all([no, yes]), .not(yes)]), false),
            (.not(.compare("none", .equal, .int(1))), true), (.not(.compare("int", .less, .string("x"))), true),
        ]
    }()

    static let onNothing: [(Condition, Bool)] = [
        (.itemExists, false), (.itemAbsent, true), (.attributeExists("a"), false), (.attributeAbsent("a"), true),
        (.compare("a", .equal, .int(1)), false), (.compare("a", .notEqual, .int(1)), true),
        (.compare("a", .less, .int(1)), false), (.not(.itemExists), true),
        (.all([.itemAbsent, .attributeAbsent("a")]), true), (.any([.itemExists, .attributeExists("a")]), false),
        (.any([.itemAbsent, .compare("a", .less, .int(1))]), true),
    ]

    static func conditionsOnItem(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s", sample))
        for (condition, holds) in onItem + combinations {
            try await probe(condition, holds, ItemKey("p", "s"), harness)
        }
    }

    static func conditionsOnNothing(_ harness: Harness) async throws {
        for (condition, holds) in onNothing { try await probe(condition, holds, ItemKey("p", "s"), harness) }
    }

    private static func probe(_ condition: Condition, _ holds: Bool, _ key: ItemKey, _ harness: Harness) async throws {
        do {
            try await harness.store.transact([TableAction(items, key, .check, if: condition)])
            try expect(holds, "\(condition) held, and should not")
        } catch let error as PortError {
            try expect(error.code, equals: .conditionFailed, "the error for \(condition)")
            try expect(!holds, "\(condition) failed, and should hold")
            try expect(error.failedActions, equals: [0], "the failed actions for \(condition)")
        }
    }

    static func everyEffectIsConditional(_ harness: Harness) async throws {
        let stored = item("p", "s", ["n": .int(1)])
        let effects: [(TableAction.Effect, AttributeMap?)] = [
            (.put(item("p", "s", ["n": .int(2)])), item("p", "s", ["n": .int(2)])),
            (.update([.add("n", 5)]), item("p", "s", ["n": .int(6)])),
            (.delete, nil),
        ]
        for (effect, wanted) in effects {
            let key = ItemKey("p", "s")
            try await harness.transact(TableAction(items, key, .put(stored)))
            try await expect(.conditionFailed, from: "\(effect) on a condition that fails") {
                try await harness.transact(TableAction(items, key, effect, if: .compare("n", .equal, .int(9))))
            }
            try expect(try await harness.get("p", "s"), equals: stored, "the item after a failed condition")
            try await harness.transact(TableAction(items, key, effect, if: .compare("n", .equal, .int(1))))
            try expect(try await harness.get("p", "s"), equals: wanted, "the item after \(effect)")
        }
        try await expect(.conditionFailed, from: "an update of an item that must exist") {
            try await harness.transact(update("p", "none", [.add("n", 1)], if: .itemExists))
        }
        try expect(try await harness.get("p", "none"), equals: nil, "the item that was not created")
        try await harness.transact(update("p", "none", [.add("n", 1)], if: .attributeAbsent("n")))
        try expect(try await harness.get("p", "none")?["n"], equals: .int(1), "the item that was created")
    }

    static func putIfAbsent(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s", ["n": .int(1)], if: .itemAbsent))
        try await expect(.conditionFailed, from: "the second put") {
            try await harness.transact(put("p", "s", ["n": .int(2)], if: .itemAbsent))
        }
        try expect(try await harness.get("p", "s")?["n"], equals: .int(1), "the attribute")
    }

    static func conditionSeesOld(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s", ["n": .int(1)]))
        let isOne = Condition.compare("n", .equal, .int(1))
        try await harness.transact(update("p", "s", [.set("n", .int(2))], if: isOne))
        try await expect(.conditionFailed, from: "the same update again") {
            try await harness.transact(update("p", "s", [.set("n", .int(1))], if: isOne))
        }
    }
}
