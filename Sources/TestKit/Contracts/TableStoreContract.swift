// What every table store promises: the harness, the tables and the list of cases.
public import SluiceCore

/// The promises of `TableStore`.
///
/// Each case wants a fresh store in which the tables of `schemas` exist and are empty. Not tested, because drivers may
/// differ: whether an item whose time to live has passed still counts for conditions and updates (it does until the
/// store has removed it; readers never see it), and whether a whole number stored as a double comes back as an `int`.
public enum TableStoreContract {
    /// The store under test, and its time.
    public struct Harness: Sendable {
        public let store: any TableStore
        public let time: ContractTime

        public init(store: any TableStore, time: ContractTime) {
            self.store = store
            self.time = time
        }
    }

    /// A table with everything: sort key, indexes with and without one, time to live.
    public static let items = TableSchema(
        name: "contract-items",
        indexes: [
            TableIndex(name: "by-colour", partitionKey: "colour", sortKey: "size"),
            TableIndex(name: "by-owner", partitionKey: "owner"),
        ],
        ttl: "expires"
    )
    /// A table without a sort key, and with a key attribute of another name.
    public static let singles = TableSchema(name: "contract-singles", partitionKey: "id", sortKey: nil)
    public static let schemas = [items, singles]

    public static let cases =
        itemCases + limitCases + conditionCases + transactionCases + concurrencyCases + queryCases + pagingCases
        + indexCases + expiryCases
}

extension TableStoreContract {
    /// An item of `items`, with its key.
    static func item(_ partition: String, _ sort: String, _ more: AttributeMap = [:]) -> AttributeMap {
        more.merging(["pk": .string(partition), "sk": .string(sort)]) { _, key in key }
    }

    static func put(
        _ partition: String,
        _ sort: String,
        _ more: AttributeMap = [:],
        if condition: Condition? = nil
    ) -> TableAction {
        TableAction(items, ItemKey(partition, sort), .put(item(partition, sort, more)), if: condition)
    }

    static func update(
        _ partition: String,
        _ sort: String,
        _ changes: [AttributeChange],
        if condition: Condition? = nil
    ) -> TableAction {
        TableAction(items, ItemKey(partition, sort), .update(changes), if: condition)
    }

    static func delete(_ partition: String, _ sort: String, if condition: Condition? = nil) -> TableAction {
        TableAction(items, ItemKey(partition, sort), .delete, if: condition)
    }
}

extension TableStoreContract.Harness {
    func transact(_ actions: TableAction...) async throws {
        try await store.transact(actions)
    }

    func get(_ partition: String, _ sort: String) async throws -> AttributeMap? {
        try await store.get(ItemKey(partition, sort), in: TableStoreContract.items)
    }

    /// Stores items of one partition under the given sort keys.
    func fill(_ partition: String, _ sorts: [String], _ more: AttributeMap = [:]) async throws {
        for sort in sorts { try await transact(TableStoreContract.put(partition, sort, more)) }
    }

    /// All pages of a query, one after the other.
    func all(
        _ query: TableQuery,
        in schema: TableSchema = TableStoreContract.items,
        betweenPages: (Int) async throws -> Void = { _ in }
    ) async throws -> [AttributeMap] {
        var query = query
        var items: [AttributeMap] = []
        for number in 1...10_000 {
            let page = try await store.query(query, in: schema)
            try expect(page.items.count <= query.limit, "\(page.items.count) items in a page of \(query.limit)")
            items += page.items
            guard let next = page.next else { return items }
            query.after = next
            try await betweenPages(number)
        }
        throw ContractFailure("a query has no end")
    }

    /// The sort keys of all pages of a query.
    func sorts(_ query: TableQuery) async throws -> [String] {
        try await all(query).map { $0.text("sk") }
    }
}

extension AttributeMap {
    /// A string attribute, or what it is instead.
    func text(_ name: String) -> String {
        if case .string(let text)? = self[name] { text } else { "not a string: \(String(describing: self[name]))" }
    }
}
