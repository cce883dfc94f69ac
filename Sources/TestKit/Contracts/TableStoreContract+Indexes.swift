// What table stores promise about secondary indexes and about items whose time has passed.
import SluiceCore

extension TableStoreContract {
    static let indexCases: [ContractCase<Harness>] = [
        ContractCase("an index holds the items that have its attributes, and no others", sparseIndex),
        ContractCase("an index is ordered by its sort key", indexOrder),
        ContractCase("an index without sort key brings every item once", indexWithoutSortKey),
        ContractCase("an index answers ranges of its sort key", indexRanges),
        ContractCase("an index is paged without gaps or repeats, also among equal sort keys", indexPages),
        ContractCase("an item moves in the index when its attributes change, and leaves it with them", indexFollows),
    ]

    static let expiryCases: [ContractCase<Harness>] = [
        ContractCase("readers see no item whose time to live has passed", expiry),
        ContractCase("an item without a time to live, or with a later one, stays", noExpiry),
        ContractCase("pages go on past items whose time has passed", expiryAndPages),
        ContractCase("a put in place of an item whose time has passed is seen", putOverExpired),
    ]

    /// The keys that a query of an index brings, once the index has settled.
    private static func expectIndex(
        _ harness: Harness,
        _ query: TableQuery,
        holds wanted: [String],
        _ what: String,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        try await harness.time.eventually {
            let keys = try await harness.all(query).map { "\($0.text("pk"))/\($0.text("sk"))" }
            try expect(keys, equals: wanted, what, file: file, line: line)
        }
    }

    /// The same where several items may be alike to the index; those of a group come in any order.
    private static func expectIndex(
        _ harness: Harness,
        _ query: TableQuery,
        holdsGroups wanted: [[String]],
        _ what: String,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        try await harness.time.eventually {
            var keys = try await harness.all(query).map { "\($0.text("pk"))/\($0.text("sk"))" }[...]
            var groups = wanted.map { group in
                defer { keys = keys.dropFirst(group.count) }
                return keys.prefix(group.count).sorted()
            }
            if !keys.isEmpty { groups.append(Array(keys)) }
            try expect(groups, equals: wanted, what, file: file, line: line)
        }
    }

    private static func red(
        _ range: TableQuery.SortRange = .everything,
        limit: Int = 100,
        descending: Bool = false
    ) -> TableQuery {
        TableQuery(partition: "red", range: range, index: "by-colour", limit: limit, descending: descending)
    }

    private static func red(_ size: String) -> AttributeMap {
        ["colour": .string("red"), "size": .string(size)]
    }

    static func sparseIndex(_ harness: Harness) async throws {
        try await harness.transact(
            put("p", "both", red("1").merging(["other": .int(5)]) { $1 }),
            put("p", "colour only", ["colour": .string("red")]),
            put("p", "size only", ["size": .string("1")]),
            put("p", "neither"),
            put("p", "blue", ["colour": .string("blue"), "size": .string("1")])
        )
        try await expectIndex(harness, red(), holds: ["p/both"], "the index")
        let found = try await harness.all(red())
        try expect(found.first?["other"], equals: .int(5), "an attribute that is not in the index's key")
    }

    static func indexOrder(_ harness: Harness) async throws {
        try await harness.transact(
            put("q", "1", red("2")),
            put("p", "2", red("2")),
            put("p", "1", red("2")),
            put("z", "z", red("10")),
            put("a", "a", red("9")),
            put("a", "b", red("B")),
            put("a", "c", red("a"))
        )
        let wanted = [["z/z"], ["p/1", "p/2", "q/1"], ["a/a"], ["a/b"], ["a/c"]]
        try await expectIndex(harness, red(), holdsGroups: wanted, "ascending")
        try await expectIndex(harness, red(descending: true), holdsGroups: wanted.reversed(), "descending")
    }

    static func indexWithoutSortKey(_ harness: Harness) async throws {
        let mine: AttributeMap = ["owner": .string("me")]
        try await harness.transact(put("q", "1", mine), put("p", "b", mine), put("p", "B", mine), put("p", "x"))
        for limit in [1, 100] {
            let query = TableQuery(partition: "me", index: "by-owner", limit: limit)
            try await expectIndex(harness, query, holdsGroups: [["p/B", "p/b", "q/1"]], "pages of \(limit)")
        }
    }

    static func indexRanges(_ harness: Harness) async throws {
        for size in ["1", "10", "11", "2", "3"] { try await harness.transact(put("p", size, red(size))) }
        try await expectIndex(harness, red(.prefix("1")), holds: ["p/1", "p/10", "p/11"], "a prefix")
        try await expectIndex(harness, red(.between("10", "2")), holds: ["p/10", "p/11", "p/2"], "a range")
    }

    static func indexPages(_ harness: Harness) async throws {
        let keys = (10..<40).map(String.init)
        for key in keys { try await harness.transact(put("p", key, red(key < "20" ? "1" : "2"))) }
        let wanted = [Array(keys.prefix(10)), Array(keys.dropFirst(10))].map { $0.map { "p/\($0)" } }
        for limit in [1, 3, 7, 30] {
            try await expectIndex(harness, red(limit: limit), holdsGroups: wanted, "pages of \(limit)")
            let backwards = red(limit: limit, descending: true)
            try await expectIndex(harness, backwards, holdsGroups: wanted.reversed(), "pages of \(limit), descending")
        }
    }

    static func indexFollows(_ harness: Harness) async throws {
        try await harness.transact(put("p", "a", red("1")), put("p", "b", red("2")), put("p", "c", red("3")))
        try await harness.transact(update("p", "a", [.set("size", .string("9"))]))
        try await expectIndex(harness, red(), holds: ["p/b", "p/c", "p/a"], "after a change of the sort key")
        try await harness.transact(update("p", "b", [.set("colour", .string("blue"))]))
        try await expectIndex(harness, red(), holds: ["p/c", "p/a"], "after a change of the partition")
        try await harness.transact(update("p", "c", [.remove("size")]))
        try await expectIndex(harness, red(), holds: ["p/a"], "after an attribute was removed")
        try await harness.transact(update("p", "a", [.set("other", .int(1))]))
        try await harness.transact(put("p", "c", red("5")))
        try await expectIndex(harness, red(), holds: ["p/c", "p/a"], "after an item was put again")
        try await harness.transact(delete("p", "a"))
        try await harness.transact(put("p", "c"))
        try await expectIndex(harness, red(), holds: [], "after the items were deleted or replaced")
    }

    /// A whole second from now, as a time to live.
    private static func inSeconds(_ seconds: Int64, _ harness: Harness) -> AttributeValue {
        .int(harness.time.now.seconds + seconds)
    }

    static func expiry(_ harness: Harness) async throws {
        let more = red("1").merging(["expires": inSeconds(60, harness)]) { $1 }
        try await harness.transact(put("p", "a", more), put("p", "b", red("2")))
        try expect(try await harness.get("p", "a") != nil, "it has a minute left")
        try await harness.time.advance(by: .seconds(61))
        try expect(try await harness.get("p", "a"), equals: nil, "what a get brings")
        let keys = [ItemKey("p", "a"), ItemKey("p", "b")]
        let both = try await harness.store.get(keys, in: items).map { $0?.text("sk") }
        try expect(both, equals: [nil, "b"], "what a get of many brings")
        try expect(try await harness.sorts(TableQuery(partition: "p")), equals: ["b"], "what a query brings")
        let scanned = try await harness.store.scan(items, limit: 100, after: nil).items.map { $0.text("sk") }
        try expect(scanned, equals: ["b"], "what a scan brings")
        try await expectIndex(harness, red(), holds: ["p/b"], "what a query of an index brings")
    }

    static func noExpiry(_ harness: Harness) async throws {
        try await harness.transact(put("p", "never"), put("p", "later", ["expires": inSeconds(3600, harness)]))
        try await harness.time.advance(by: .seconds(61))
        try expect(try await harness.sorts(TableQuery(partition: "p")), equals: ["later", "never"], "the items")
    }

    static func expiryAndPages(_ harness: Harness) async throws {
        let soon = inSeconds(60, harness)
        for number in 10..<40 {
            try await harness.transact(put("p", "\(number)", number % 7 == 0 ? [:] : ["expires": soon]))
        }
        try await harness.time.advance(by: .seconds(61))
        for limit in [1, 4] {
            let ascending = try await harness.sorts(TableQuery(partition: "p", limit: limit))
            try expect(ascending, equals: ["14", "21", "28", "35"], "pages of \(limit)")
            let descending = try await harness.sorts(TableQuery(partition: "p", limit: limit, descending: true))
            try expect(descending, equals: ["35", "28", "21", "14"], "pages of \(limit), descending")
        }
    }

    static func putOverExpired(_ harness: Harness) async throws {
        try await harness.transact(put("p", "s", ["expires": inSeconds(60, harness), "old": .int(1)]))
        try await harness.time.advance(by: .seconds(61))
        try await harness.transact(put("p", "s", ["new": .int(1)]))
        try expect(try await harness.get("p", "s"), equals: item("p", "s", ["new": .int(1)]), "the item")
    }
}
