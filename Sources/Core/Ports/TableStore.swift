// The port to tables: items under keys, changed on conditions, all or nothing.

/// Items by partition and sort key.
///
/// What a caller may rely on is what the weakest cloud table gives.
///
/// Use it through `Table`, which adds the item's type.
public protocol TableStore: Sendable {
    /// The item as of the last write that returned before the call, or nil; an expired item is nil.
    ///
    /// - Throws: `PortError`: `notFound` if the table does not exist, `unavailable`, `timedOut`, `throttled`.
    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap?

    /// The items of up to 100 distinct keys, in the order of the keys, nil where there is none. Not one snapshot.
    func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?]

    /// One page of the items of a partition, in the order of the sort key's bytes.
    ///
    /// The table itself answers as of the last write that returned; an index may lag, and items that are alike to it
    /// come in any order, which is the same on every page. Expired items are left out, so
    /// a page can hold fewer than `limit` items although more follow: only `next == nil` is the end.
    func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage

    /// One page of all items of a table, unordered; meant for small tables and for clean-up.
    func scan(_ schema: TableSchema, limit: Int, after: TableCursor?) async throws(PortError) -> TableQueryPage

    /// Applies 1 to 100 actions on distinct items: all of them, or none.
    ///
    /// Durable on return. May be applied although it throws, when `outcomeUnknown` says so.
    ///
    /// - Throws: `PortError`: `conditionFailed` with the positions of the failed actions, `conflict` when another
    ///   writer was in the way (then nothing is said of conditions), `invalidRequest` for two actions on one item, an
    ///   item or a change that contradicts the key, an item over the size limit, or an addition to something that is
    ///   not a number or has no room for it. A store may refuse a number that `AttributeValue.double` calls too large
    ///   or too small, an index's attribute that is empty or no string, two changes of one attribute in one update, and
    ///   more than 4 MB in one transaction.
    func transact(_ actions: [TableAction]) async throws(PortError)

    /// Applies puts and deletes without conditions, each by itself: on an error any part may have been applied.
    func writeEach(_ actions: [TableAction]) async throws(PortError)
}

/// What a transaction may hold, from DynamoDB's TransactWriteItems.
public enum TableLimits {
    public static let actionsPerTransaction = 100
    public static let keysPerGet = 100
    /// DynamoDB's item size limit, attribute names included.
    public static let itemBytesMax = 400 * 1024
}

/// A question to a partition of a table or of one of its indexes.
public struct TableQuery: Sendable, Hashable {
    public enum SortRange: Sendable, Hashable {
        case everything
        case prefix(String)
        /// Both ends included.
        case between(String, String)
    }

    /// The name of a secondary index, or nil for the table itself.
    public var index: String?
    public var partition: String
    public var range: SortRange
    /// 1 to 1000.
    public var limit: Int
    public var descending: Bool
    public var after: TableCursor?

    public init(
        partition: String,
        range: SortRange = .everything,
        index: String? = nil,
        limit: Int = 100,
        descending: Bool = false,
        after: TableCursor? = nil
    ) {
        self.index = index
        self.partition = partition
        self.range = range
        self.limit = limit
        self.descending = descending
        self.after = after
    }
}

/// Where a query goes on; opaque to callers.
public struct TableCursor: Sendable, Hashable {
    public let token: String

    public init(token: String) {
        self.token = token
    }
}

/// What one call of a query brought.
public struct TableQueryPage: Sendable {
    public var items: [AttributeMap]
    /// Nil when nothing follows.
    public var next: TableCursor?
    /// What is wrong with items that the store itself can't read, because something else has written them; they are not
    /// among the others.
    public var problems: [String]

    public init(items: [AttributeMap], next: TableCursor?, problems: [String] = []) {
        self.items = items
        self.next = next
        self.problems = problems
    }

    /// The page, for those who need all of it.
    ///
    /// - Throws: `PortError.invalidRequest` with the first problem.
    public func whole() throws(PortError) -> TableQueryPage {
        if let problem = problems.first { throw PortError(.invalidRequest, problem) }
        return self
    }
}
