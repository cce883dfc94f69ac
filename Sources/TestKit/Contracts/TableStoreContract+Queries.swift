// What table stores promise about order, ranges and pages.
import SluiceCore

extension TableStoreContract {
    static let queryCases: [ContractCase<Harness>] = [
        ContractCase("a query brings the partition's items in the order of their bytes", orderByBytes),
        ContractCase("a query brings whole items, and those of its partition only", onePartition),
        ContractCase("a prefix means bytes: wildcards are letters, and half a letter counts", prefixes),
        ContractCase("a range includes both its ends", ranges),
        ContractCase("a table without sort key has one item in a partition", withoutSortKey),
    ]

    static let pagingCases: [ContractCase<Harness>] = [
        ContractCase("pages of any size bring every item once, in order, in both directions", pages),
        ContractCase("ranges are paged like everything else", pagedRanges),
        ContractCase("items that stay are seen once, whatever comes and goes between the pages", changesBetweenPages),
        ContractCase("a cursor is good although its item is gone", cursorOutlivesItem),
        ContractCase("pages of large items bring all of them", largePages),
        ContractCase("a scan brings every item of its table once", scans),
    ]

    /// In the order of their bytes; neither the order of a locale, nor of UTF-16, nor of numbers.
    static let sorted = [
        " ", "#", "%", "-1", "0", "10", "2", "9", "A", "B", "Z", "_", "a", "a b", "aB", "aa", "ab", "b", "z", "{",
        "\u{E9}", "\u{FF5E}", "\u{1F600}",
    ]

    static func orderByBytes(_ harness: Harness) async throws {
        try await harness.fill("p", sorted.shuffled())
        try expect(try await harness.sorts(TableQuery(partition: "p")), equals: sorted, "ascending")
        let descending = try await harness.sorts(TableQuery(partition: "p", descending: true))
        try expect(descending, equals: sorted.reversed(), "descending")
    }

    static func onePartition(_ harness: Harness) async throws {
        try await harness.fill("p", ["1", "2"], ["a": .list([.int(1)])])
        try await harness.fill("q", ["3"])
        try await harness.fill("p2", ["4"])
        try await harness.fill("P", ["5"])
        let found = try await harness.all(TableQuery(partition: "p"))
        try expect(found, equals: ["1", "2"].map { item("p", $0, ["a": .list([.int(1)])]) }, "the items")
        try expect(try await harness.sorts(TableQuery(partition: "none")), equals: [], "an empty partition")
    }

    static func prefixes(_ harness: Harness) async throws {
        let keys = ["a", "a%b", "a%c", "a_b", "aXb", "b", "e\u{301}x", "ex", "\u{E9}x", "\u{10FFFF}", "\u{10FFFF}a"]
        try await harness.fill("p", keys)
        let wanted: [(String, [String])] = [
            ("a", ["a", "a%b", "a%c", "aXb", "a_b"]), ("a%", ["a%b", "a%c"]), ("a_", ["a_b"]), ("c", []),
            ("e", ["ex", "e\u{301}x"]), ("\u{E9}", ["\u{E9}x"]), ("\u{10FFFF}", ["\u{10FFFF}", "\u{10FFFF}a"]),
            ("a%b", ["a%b"]), ("a%bb", []),
        ]
        for (prefix, sorts) in wanted {
            let query = TableQuery(partition: "p", range: .prefix(prefix))
            let forwards = try await harness.sorts(query).map(Array.init(ofBytes:))
            try expect(forwards, equals: sorts.map(Array.init(ofBytes:)), prefix)
            let backwards = TableQuery(partition: "p", range: .prefix(prefix), descending: true)
            let found = try await harness.sorts(backwards).map(Array.init(ofBytes:))
            try expect(found, equals: sorts.reversed().map(Array.init(ofBytes:)), "\(prefix), descending")
        }
    }

    static func ranges(_ harness: Harness) async throws {
        try await harness.fill("p", ["a", "b", "b1", "c", "d", "e"])
        let wanted: [((String, String), [String])] = [
            (("b", "d"), ["b", "b1", "c", "d"]), (("b", "b"), ["b"]), (("b0", "b9"), ["b1"]), (("x", "z"), []),
            (("A", "z"), ["a", "b", "b1", "c", "d", "e"]), (("c1", "c9"), []),
        ]
        for ((low, high), sorts) in wanted {
            let query = TableQuery(partition: "p", range: .between(low, high))
            try expect(try await harness.sorts(query), equals: sorts, "\(low) to \(high)")
            let backwards = TableQuery(partition: "p", range: .between(low, high), descending: true)
            try expect(try await harness.sorts(backwards), equals: sorts.reversed(), "\(low) to \(high), descending")
        }
    }

    static func withoutSortKey(_ harness: Harness) async throws {
        for id in ["a", "b"] {
            try await harness.transact(TableAction(singles, ItemKey(id), .put(["id": .string(id)])))
        }
        let found = try await harness.all(TableQuery(partition: "a"), in: singles)
        try expect(found, equals: [["id": .string("a")]], "the items")
    }

    static func pages(_ harness: Harness) async throws {
        try await harness.fill("p", sorted.shuffled())
        for limit in [1, 2, 3, 7, sorted.count - 1, sorted.count, sorted.count + 1, 1000] {
            let ascending = try await harness.sorts(TableQuery(partition: "p", limit: limit))
            try expect(ascending, equals: sorted, "pages of \(limit)")
            let descending = try await harness.sorts(TableQuery(partition: "p", limit: limit, descending: true))
            try expect(descending, equals: sorted.reversed(), "pages of \(limit), descending")
        }
    }

    static func pagedRanges(_ harness: Harness) async throws {
        let keys = (0..<30).map { "\($0 < 10 ? "x" : $0 < 20 ? "y" : "z")\($0 % 10)" }
        try await harness.fill("p", keys)
        let middle = Array(keys[10..<20])
        for range in [TableQuery.SortRange.prefix("y"), .between("y0", "y9")] {
            for descending in [false, true] {
                let query = TableQuery(partition: "p", range: range, limit: 3, descending: descending)
                let wanted = descending ? middle.reversed() : middle
                try expect(try await harness.sorts(query), equals: wanted, "\(range), descending: \(descending)")
            }
        }
    }

    static func changesBetweenPages(_ harness: Harness) async throws {
        for descending in [false, true] {
            let partition = "p \(descending)"
            let stay = (0..<20).map { "\($0 + 10)" }
            try await harness.fill(partition, stay + stay.map { "\($0) goes" })
            let query = TableQuery(partition: partition, limit: 3, descending: descending)
            let found = try await harness.all(query) { number in
                try await harness.fill(partition, ["\(number + 10) new", "00 \(number)", "99 \(number)"])
                try await harness.transact(delete(partition, "\(number % 20 + 10) goes"))
                try await harness.transact(update(partition, "\(number % 20 + 10)", [.add("n", 1)]))
                try expect(number < 60, "a query of 40 items, with one or two more at each page, has 60 pages of 3")
            }
            let seen = found.map { $0.text("sk") }.filter { stay.contains($0) }
            try expect(seen, equals: descending ? stay.reversed() : stay, "the items that stay")
        }
    }

    static func cursorOutlivesItem(_ harness: Harness) async throws {
        try await harness.fill("p", ["a", "b", "c", "d"])
        let first = try await harness.store.query(TableQuery(partition: "p", limit: 2), in: items)
        try await harness.transact(delete("p", "a"), delete("p", "b"))
        let rest = try await harness.sorts(TableQuery(partition: "p", limit: 2, after: first.next))
        try expect(rest, equals: ["c", "d"], "what follows a cursor whose item is gone")
    }

    static func largePages(_ harness: Harness) async throws {
        let body = AttributeValue.bytes(Array(repeating: 7, count: 200_000))
        for number in 10..<25 { try await harness.transact(put("p", "\(number)", ["body": body])) }
        let found = try await harness.sorts(TableQuery(partition: "p", limit: 1000))
        try expect(found, equals: (10..<25).map(String.init), "fifteen items of 200 KB")
    }

    static func scans(_ harness: Harness) async throws {
        try await harness.store.writeEach((0..<40).map { put("p\($0 % 4)", "\($0)") })
        try await harness.transact(TableAction(singles, ItemKey("x"), .put(["id": .string("x")])))
        for limit in [1, 3, 40, 1000] {
            var found: [String] = []
            var cursor: TableCursor?
            repeat {
                let page = try await harness.store.scan(items, limit: limit, after: cursor)
                try expect(page.items.count <= limit, "\(page.items.count) items in a page of \(limit)")
                found += page.items.map { $0.text("sk") }
                cursor = page.next
            } while cursor != nil && found.count < 1000
            try expect(found.count, equals: 40, "how many items pages of \(limit) brought")
            try expect(Set(found).count, equals: 40, "how many different items they were")
        }
    }
}

extension Array where Element == UInt8 {
    /// The bytes of a text, for comparisons in which letters that look alike differ.
    fileprivate init(ofBytes text: String) { self = Array(text.utf8) }
}
