// What every change feed promises: the harness and the cases.
public import SluiceCore

/// The promises of `ChangeFeed`.
///
/// Each case wants a fresh store in which the tables of `schemas` exist and are empty. A feed may deliver a change
/// more than once, so repeats are ignored. Not tested, because drivers differ: whether a write that changes nothing
/// is a change.
public enum ChangeFeedContract {
    /// The feed under test, the store that it follows, and their time.
    public struct Harness: Sendable {
        public let feed: any ChangeFeed
        public let store: any TableStore
        public let time: ContractTime
        /// How long a change may take to be readable; zero where it is at once.
        public let patience: Duration
        /// Whether a position is refused once the change before it was trimmed, although none after it was.
        public let mayRefuseIdle: Bool

        public init(
            feed: any ChangeFeed,
            store: any TableStore,
            time: ContractTime,
            patience: Duration = .zero,
            mayRefuseIdle: Bool = false
        ) {
            self.feed = feed
            self.store = store
            self.time = time
            self.patience = patience
            self.mayRefuseIdle = mayRefuseIdle
        }
    }

    public static let followed = TableSchema(name: "contract-followed", isFollowed: true)
    public static let alsoFollowed = TableSchema(name: "contract-also-followed", sortKey: nil, isFollowed: true)
    public static let unfollowed = TableSchema(name: "contract-unfollowed")
    public static let schemas = [followed, alsoFollowed, unfollowed]

    public static let cases: [ContractCase<Harness>] = [
        ContractCase("an insert, a modification and a removal come with their images", images),
        ContractCase(
            "every write that changes an item is told, of transactions and of writes by themselves",
            everyWrite
        ),
        ContractCase("what did not happen is not told", nothingHappened),
        ContractCase("the changes of an item come in their order", orderPerItem),
        ContractCase("each table has its own changes", eachTable),
        ContractCase("a read brings no more changes than it asked for, and goes on where it stopped", limits),
        ContractCase("a position is good for several readers, again and again", positions),
        ContractCase("the latest position shows what comes after it only", latest),
        ContractCase("a position stays good while nothing happens", idlePositions),
        ContractCase("a waiting read wakes when something changes", wakes),
        ContractCase("a read that waited in vain returns with nothing and a position to go on from", waitsInVain),
        ContractCase("a waiting read whose task is cancelled returns, or says that it was", cancelled),
        ContractCase(
            "changes are kept for 24 hours; a trimmed position is refused, so that nothing is missed",
            retention
        ),
    ]
}

extension ChangeFeedContract.Harness {
    /// The attributes of an item of `followed`.
    static func item(_ key: String, _ number: Int) -> AttributeMap {
        ["pk": .string("p"), "sk": .string(key), "n": number.attributeValue]
    }

    func put(_ key: String, _ number: Int, in schema: TableSchema = ChangeFeedContract.followed) async throws {
        try await store.transact([TableAction(schema, ItemKey("p", key), .put(Self.item(key, number)))])
    }

    func delete(_ key: String) async throws {
        try await store.transact([TableAction(ChangeFeedContract.followed, ItemKey("p", key), .delete)])
    }

    func read(
        from position: FeedPosition,
        limit: Int = 100,
        in schema: TableSchema = ChangeFeedContract.followed
    ) async throws -> FeedPage {
        try await feed.read(schema, from: position, limit: limit, wait: patience)
    }

    /// Everything after a position, each change once, and where to go on.
    func readAll(
        from start: FeedPosition,
        limit: Int = 100,
        in schema: TableSchema = ChangeFeedContract.followed
    ) async throws -> FeedPage {
        var all = FeedPage(changes: [], next: start)
        for _ in 0..<10_000 {
            let page = try await read(from: all.next, limit: limit, in: schema)
            try expect(page.changes.count <= limit, "\(page.changes.count) changes in a page of \(limit)")
            all.next = page.next
            if page.changes.isEmpty { return all }
            all.changes += page.changes.filter { !all.changes.contains($0) }
        }
        throw ContractFailure("a feed has no end")
    }
}

extension TableChange {
    /// Key and numbers, such as `a:1→2`, with `-` for no item.
    var brief: String {
        func number(_ item: AttributeMap?) -> String {
            guard let item else { return "-" }
            guard case .int(let number)? = item["n"] else { return "?" }
            return "\(number)"
        }
        return "\(key.sort ?? key.partition):\(number(old))→\(number(new))"
    }
}
