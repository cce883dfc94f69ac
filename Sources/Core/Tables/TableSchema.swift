// The shape of a table, stated once: its keys, indexes, expiry and whether changes to it can be followed.

/// A table: name, key attributes, secondary indexes, TTL attribute, change feed.
public struct TableSchema: Sendable, Hashable {
    public let name: String
    /// The attribute that holds the partition key, a string.
    public let partitionKey: String
    /// The attribute that holds the sort key, a string, if the table has one.
    public let sortKey: String?
    public let indexes: [TableIndex]
    /// The attribute that holds the second since 1970 after which an item counts as gone, if the table has one.
    public let ttl: String?
    /// Whether inserts and modifications can be read from the change feed.
    public let isFollowed: Bool

    public init(
        name: String,
        partitionKey: String = "pk",
        sortKey: String? = "sk",
        indexes: [TableIndex] = [],
        ttl: String? = nil,
        isFollowed: Bool = false
    ) {
        self.name = name
        self.partitionKey = partitionKey
        self.sortKey = sortKey
        self.indexes = indexes
        self.ttl = ttl
        self.isFollowed = isFollowed
    }

    /// The key of an item, or nil if it lacks a key attribute.
    public func key(of item: AttributeMap) -> ItemKey? {
        guard case .string(let partition)? = item[partitionKey] else { return nil }
        guard let sortKey else { return ItemKey(partition) }
        guard case .string(let sort)? = item[sortKey] else { return nil }
        return ItemKey(partition, sort)
    }

    /// Whether an item's time to live has passed: readers treat it as absent, whether or not it was removed yet.
    public func isExpired(_ item: AttributeMap, now: Timestamp) -> Bool {
        guard let ttl, case .int(let second)? = item[ttl] else { return false }
        return second < now.seconds
    }
}

/// A secondary index: items that have its attributes, ordered by its sort key.
///
/// The attributes are strings that are not empty. In what order items with the same sort key come is the store's to say.
public struct TableIndex: Sendable, Hashable {
    public let name: String
    public let partitionKey: String
    public let sortKey: String?

    public init(name: String, partitionKey: String, sortKey: String? = nil) {
        self.name = name
        self.partitionKey = partitionKey
        self.sortKey = sortKey
    }
}
