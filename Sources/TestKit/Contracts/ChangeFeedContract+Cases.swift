// How change feeds are put to their promises.
import SluiceCore

extension ChangeFeedContract {
    private static func expectChanges(
        _ changes: [TableChange],
        are wanted: [String],
        _ what: String,
        file: String = #fileID,
        line: Int = #line
    ) throws {
        // Only the changes of one item have an order.
        let byItem = { (list: [String]) in Dictionary(grouping: list) { $0.prefix { $0 != ":" } } }
        try expect(byItem(changes.map(\.brief)), equals: byItem(wanted), what, file: file, line: line)
    }

    static func images(_ harness: Harness) async throws {
        try await harness.put("a", 1)
        try await harness.put("a", 2)
        try await harness.delete("a")
        let changes = try await harness.readAll(from: .start).changes
        let key = ItemKey("p", "a")
        let wanted = [
            TableChange(key: key, old: nil, new: Harness.item("a", 1)),
            TableChange(key: key, old: Harness.item("a", 1), new: Harness.item("a", 2)),
            TableChange(key: key, old: Harness.item("a", 2), new: nil),
        ]
        try expect(changes, equals: wanted, "the changes")
    }

    static func everyWrite(_ harness: Harness) async throws {
        let add = TableAction(followed, ItemKey("p", "a"), .update([.add("n", 1)]))
        try await harness.store.transact([add])
        try await harness.store.transact([
            add, TableAction(followed, ItemKey("p", "b"), .put(Harness.item("b", 5))),
            TableAction(followed, ItemKey("p", "none"), .check, if: .itemAbsent),
        ])
        try await harness.store.writeEach([
            TableAction(followed, ItemKey("p", "c"), .put(Harness.item("c", 7))),
            TableAction(followed, ItemKey("p", "b"), .delete),
        ])
        let changes = try await harness.readAll(from: .start).changes
        try expectChanges(changes, are: ["a:-→1", "a:1→2", "b:-→5", "b:5→-", "c:-→7"], "the changes")
    }

    static func nothingHappened(_ harness: Harness) async throws {
        try await harness.put("a", 1)
        try await expect(.conditionFailed, from: "a transaction with a failed condition") {
            try await harness.store.transact([
                TableAction(followed, ItemKey("p", "b"), .put(Harness.item("b", 1))),
                TableAction(followed, ItemKey("p", "a"), .put(Harness.item("a", 2)), if: .itemAbsent),
            ])
        }
        try await harness.delete("none")
        try await harness.store.transact([TableAction(followed, ItemKey("p", "a"), .check, if: .itemExists)])
        let changes = try await harness.readAll(from: .start).changes
        try expectChanges(changes, are: ["a:-→1"], "the changes")
    }

    static func orderPerItem(_ harness: Harness) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in ["a", "b", "c", "d"] {
                group.addTask {
                    for number in 1...10 { try await harness.put(key, number) }
                }
            }
            try await group.waitForAll()
        }
        let changes = try await harness.readAll(from: .start, limit: 7).changes
        for key in ["a", "b", "c", "d"] {
            let seen = changes.filter { $0.key.sort == key }.map(\.brief)
            let wanted = (1...10).map { "\(key):\($0 == 1 ? "-" : "\($0 - 1)")→\($0)" }
            try expect(seen, equals: wanted, "the changes of \(key)")
        }
    }

    static func eachTable(_ harness: Harness) async throws {
        let single: AttributeMap = ["pk": .string("x"), "n": .int(9)]
        try await harness.put("a", 1)
        try await harness.store.transact([TableAction(alsoFollowed, ItemKey("x"), .put(single))])
        try await harness.put("u", 1, in: unfollowed)
        let changes = try await harness.readAll(from: .start).changes
        try expectChanges(changes, are: ["a:-→1"], "the changes of one table")
        let others = try await harness.readAll(from: .start, in: alsoFollowed).changes
        try expect(others, equals: [TableChange(key: ItemKey("x"), old: nil, new: single)], "the changes of the other")
    }

    static func limits(_ harness: Harness) async throws {
        for number in 0..<20 { try await harness.put("\(number)", number) }
        for limit in [1, 3, 20, 1000] {
            let changes = try await harness.readAll(from: .start, limit: limit).changes
            try expectChanges(changes, are: (0..<20).map { "\($0):-→\($0)" }, "pages of \(limit)")
        }
    }

    static func positions(_ harness: Harness) async throws {
        for key in ["a", "b", "c"] { try await harness.put(key, 1) }
        let first = try await harness.readAll(from: .start)
        for key in ["d", "e"] { try await harness.put(key, 1) }
        for reader in 1...2 {
            let rest = try await harness.readAll(from: first.next, limit: reader)
            try expectChanges(rest.changes, are: ["d:-→1", "e:-→1"], "what reader \(reader) sees after a position")
            let nothing = try await harness.readAll(from: rest.next)
            try expectChanges(nothing.changes, are: [], "what reader \(reader) sees at the end")
        }
        let all = try await harness.readAll(from: .start)
        try expectChanges(all.changes, are: ["a", "b", "c", "d", "e"].map { "\($0):-→1" }, "what the start shows")
    }

    static func latest(_ harness: Harness) async throws {
        try await harness.put("a", 1)
        let now = try await harness.read(from: .latest)
        try expectChanges(now.changes, are: [], "what the latest position shows")
        try await harness.put("b", 1)
        let later = try await harness.readAll(from: now.next)
        try expectChanges(later.changes, are: ["b:-→1"], "what came after it")
    }

    static func idlePositions(_ harness: Harness) async throws {
        let empty = try await harness.read(from: .start)
        try expectChanges(empty.changes, are: [], "the changes of an empty table")
        var position = empty.next
        for _ in 0..<5 {
            try await harness.time.advance(by: .seconds(3600))
            let page = try await harness.read(from: position)
            try expectChanges(page.changes, are: [], "what an hour brought")
            position = page.next
        }
        try await harness.put("a", 1)
        let changes = try await harness.readAll(from: position).changes
        try expectChanges(changes, are: ["a:-→1"], "what came then")
    }

    private static func waiting(_ harness: Harness, for wait: Duration) async throws -> Task<FeedPage, any Error> {
        let next = try await harness.read(from: .latest).next
        return try await harness.time.start {
            try await harness.feed.read(followed, from: next, limit: 10, wait: wait)
        }
    }

    static func wakes(_ harness: Harness) async throws {
        try await harness.put("a", 1)
        let task = try await waiting(harness, for: .seconds(600))
        try await harness.put("a", 2)
        try expectChanges(try await harness.time.soon(task).changes, are: ["a:1→2"], "what the waiting read brought")
    }

    static func waitsInVain(_ harness: Harness) async throws {
        let task = try await waiting(harness, for: .seconds(10))
        let begin = harness.time.now
        let page = try await harness.time.drive(task, limit: .seconds(120))
        try expectChanges(page.changes, are: [], "what the waiting read brought")
        let waited = begin.duration(to: harness.time.now)
        try expect(waited >= .milliseconds(9800), "it was to wait 10 s, and returned after \(waited)")
        try await harness.put("a", 1)
        let changes = try await harness.readAll(from: page.next).changes
        try expectChanges(changes, are: ["a:-→1"], "what came then")
    }

    static func cancelled(_ harness: Harness) async throws {
        let task = try await waiting(harness, for: .seconds(600))
        task.cancel()
        do {
            try expectChanges(try await harness.time.soon(task).changes, are: [], "what the cancelled read brought")
        } catch let error as PortError {
            try expect(error.code, equals: .cancelled, "the error of the cancelled read")
        }
    }

    static func retention(_ harness: Harness) async throws {
        try await harness.put("a", 1)
        let first = try await harness.readAll(from: .start)
        try await harness.put("a", 2)
        try await harness.time.advance(by: .seconds(23 * 3600))
        let kept = try await harness.readAll(from: first.next)
        try expectChanges(kept.changes, are: ["a:1→2"], "what is kept for 23 hours")
        try await harness.time.advance(by: .seconds(2 * 3600))
        try await harness.put("a", 3)
        do {
            // A feed may keep more than it must, but then it misses nothing.
            let page = try await harness.readAll(from: first.next)
            try expectChanges(page.changes, are: ["a:1→2", "a:2→3"], "what a position of 25 hours ago shows")
        } catch let error as PortError {
            try expect(error.code, equals: .notFound, "the error at a trimmed position")
            let page = try await harness.readAll(from: .start)
            try expectChanges(page.changes, are: ["a:2→3"], "what the start shows")
        }
        do {
            let up = try await harness.readAll(from: kept.next)
            try expectChanges(up.changes, are: ["a:2→3"], "what a position shows behind which nothing was trimmed")
        } catch let error as PortError {
            guard harness.mayRefuseIdle else { throw error }
            try expect(error.code, equals: .notFound, "the error at a position whose own change was trimmed")
        }
    }
}
