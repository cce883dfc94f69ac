// What table stores promise about several actions at once, and about several writers at once.
import SluiceCore

extension TableStoreContract {
    static let transactionCases: [ContractCase<Harness>] = [
        ContractCase("a transaction applies all its actions, across tables", appliesAll),
        ContractCase("one failed condition undoes the whole transaction and says its position", allOrNothing),
        ContractCase("every failed condition of a transaction is named", namesEveryFailure),
    ]

    static let concurrencyCases: [ContractCase<Harness>] = [
        ContractCase("additions of many tasks add up exactly", concurrentAdditions),
        ContractCase("of many puts if absent, one succeeds", oneWinner),
        ContractCase("writes on the value last read lose no update", compareAndSet),
        ContractCase("transactions across items keep their sum, whoever else writes", transfers),
    ]

    static func appliesAll(_ harness: Harness) async throws {
        try await harness.transact(put("p", "gone"), put("p", "counted", ["n": .int(1)]))
        try await harness.transact(
            put("p", "new", ["a": .int(1)], if: .itemAbsent),
            update("p", "counted", [.add("n", 4)]),
            delete("p", "gone", if: .itemExists),
            TableAction(singles, ItemKey("x"), .update([.set("a", .bool(true))])),
            TableAction(items, ItemKey("p", "never"), .check, if: .itemAbsent)
        )
        let sorts = try await harness.sorts(TableQuery(partition: "p"))
        try expect(sorts, equals: ["counted", "new"], "the items of the partition")
        try expect(try await harness.get("p", "counted")?["n"], equals: .int(5), "the sum")
        let single = try await harness.store.get(ItemKey("x"), in: singles)
        try expect(single?["a"], equals: .bool(true), "the item of the other table")
    }

    static func allOrNothing(_ harness: Harness) async throws {
        try await harness.transact(put("p", "a", ["n": .int(1)]), put("p", "b"))
        let error = try await expect(.conditionFailed, from: "a transaction with one failed condition") {
            try await harness.transact(
                update("p", "a", [.add("n", 1)]),
                put("p", "c"),
                put("p", "b", ["x": .int(1)], if: .itemAbsent),
                delete("p", "a2"),
                TableAction(singles, ItemKey("x"), .put(["id": .string("x")]))
            )
        }
        try expect(error.failedActions, equals: [2], "the failed actions")
        try expect(!error.outcomeUnknown, "a failed condition leaves no doubt")
        let sorts = try await harness.sorts(TableQuery(partition: "p"))
        try expect(sorts, equals: ["a", "b"], "the items of the partition")
        try expect(try await harness.get("p", "a")?["n"], equals: .int(1), "the attribute")
        try expect(try await harness.store.get(ItemKey("x"), in: singles), equals: nil, "the item of the other table")
    }

    static func namesEveryFailure(_ harness: Harness) async throws {
        let error = try await expect(.conditionFailed, from: "a transaction with three failed conditions") {
            try await harness.transact(
                put("p", "0", if: .itemExists),
                put("p", "1", if: .itemAbsent),
                TableAction(items, ItemKey("p", "2"), .check, if: .attributeExists("a")),
                update("p", "3", [.add("n", 1)]),
                delete("p", "4", if: .itemExists)
            )
        }
        try expect(error.failedActions, equals: [0, 2, 4], "the failed actions")
    }

    /// Writes again while another writer is in the way.
    private static func persist(_ harness: Harness, _ actions: [TableAction]) async throws {
        for _ in 1..<1000 {
            do {
                return try await harness.store.transact(actions)
            } catch {
                guard error.code == .conflict || error.code == .throttled else { throw error }
                await Task.yield()
            }
        }
        try await harness.store.transact(actions)
    }

    /// Runs a step in several tasks at once, several times in each.
    private static func inTasks(
        _ tasks: Int,
        times: Int,
        _ step: @escaping @Sendable (_ task: Int, _ time: Int) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    for time in 0..<times { try await step(task, time) }
                }
            }
            try await group.waitForAll()
        }
    }

    static func concurrentAdditions(_ harness: Harness) async throws {
        try await inTasks(20, times: 10) { task, time in
            try await persist(
                harness,
                [update("p", "sum", [.add("n", 1), .add("m", -2)]), update("p", "of \(task)", [.add("n", 1)])]
            )
        }
        let sum = try await harness.get("p", "sum")
        try expect(sum?["n"], equals: .int(200), "the sum of 200 ones")
        try expect(sum?["m"], equals: .int(-400), "the sum of 200 times minus two")
        try expect(try await harness.get("p", "of 7")?["n"], equals: .int(10), "the sum of one task")
    }

    static func oneWinner(_ harness: Harness) async throws {
        let winners = try await withThrowingTaskGroup(of: Int?.self) { group in
            for number in 0..<20 {
                group.addTask {
                    do {
                        try await persist(harness, [put("p", "s", ["n": number.attributeValue], if: .itemAbsent)])
                        return number
                    } catch let error as PortError where error.code == .conditionFailed {
                        return nil
                    }
                }
            }
            var winners: [Int] = []
            for try await number in group { winners += number.map { [$0] } ?? [] }
            return winners
        }
        try expect(winners.count, equals: 1, "how many of twenty puts succeeded")
        try expect(try await harness.get("p", "s")?["n"], equals: winners.first?.attributeValue, "whose item is kept")
    }

    static func compareAndSet(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s", ["n": .int(0)]))
        try await inTasks(8, times: 5) { _, _ in
            for _ in 0..<1000 {
                guard case .int(let seen)? = try await harness.get("p", "s")?["n"] else {
                    throw ContractFailure("the number is gone")
                }
                let isSeen = Condition.compare("n", .equal, .int(seen))
                do {
                    return try await persist(harness, [update("p", "s", [.set("n", .int(seen + 1))], if: isSeen)])
                } catch let error as PortError where error.code == .conditionFailed {
                    await Task.yield()
                }
            }
            throw ContractFailure("a write on the value last read never succeeds")
        }
        try expect(try await harness.get("p", "s")?["n"], equals: .int(40), "forty writes, each on the last")
    }

    static func transfers(_ harness: Harness) async throws {
        try await harness.transact(put("p", "a", ["n": .int(100)]), put("p", "b", ["n": .int(100)]))
        try await inTasks(8, times: 10) { task, time in
            let (from, to) = (task + time) % 2 == 0 ? ("a", "b") : ("b", "a")
            do {
                try await persist(
                    harness,
                    [
                        update("p", from, [.add("n", -30)], if: .compare("n", .greaterOrEqual, .int(30))),
                        update("p", to, [.add("n", 30)]),
                    ]
                )
            } catch let error as PortError where error.code == .conditionFailed {
                try expect(error.failedActions, equals: [0], "the failed actions")
            }
        }
        let amounts = try await harness.all(TableQuery(partition: "p")).map { $0["n"] }
        guard case .int(let left)?? = amounts.first, case .int(let right)?? = amounts.last else {
            throw ContractFailure("the numbers are gone: \(amounts)")
        }
        try expect(left + right, equals: 200, "the sum")
        try expect(left >= 0 && right >= 0, "\(left) or \(right) fell below 0")
    }
}
