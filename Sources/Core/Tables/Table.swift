// Tables of typed items: an item type states its schema once, and keys, conditions and coding follow from it.

/// A type whose values are the items of a table (or some of them).
///
/// Its coding keys are the attribute names.
public protocol TableItem: Codable, Sendable {
    static var schema: TableSchema { get }
    var key: ItemKey { get }
    /// What is wrong with values that are each of their kind, beginning with the attribute's name; nil for a sound item.
    ///
    /// A stored item with a problem is not read: whoever reads one may rely on its numbers.
    var problem: String? { get }
}

extension TableItem {
    public var problem: String? { nil }
}

/// An attribute of an item type, by name and type.
public struct Attribute<Item: TableItem, Value: AttributeConvertible>: Sendable {
    public let name: String

    public init(_ name: String) {
        self.name = name
    }

    public static func == (attribute: Self, value: Value) -> Condition {
        .compare(attribute.name, .equal, value.attributeValue)
    }

    public static func != (attribute: Self, value: Value) -> Condition {
        .compare(attribute.name, .notEqual, value.attributeValue)
    }

    public static func < (attribute: Self, value: Value) -> Condition {
        .compare(attribute.name, .less, value.attributeValue)
    }

    public static func <= (attribute: Self, value: Value) -> Condition {
        .compare(attribute.name, .lessOrEqual, value.attributeValue)
    }

    public static func >= (attribute: Self, value: Value) -> Condition {
        .compare(attribute.name, .greaterOrEqual, value.attributeValue)
    }

    public var exists: Condition { .attributeExists(name) }
    public var isAbsent: Condition { .attributeAbsent(name) }

    /// The change that stores a value.
    public func set(_ value: Value) -> AttributeChange {
        .set(name, value.attributeValue)
    }

    public var remove: AttributeChange { .remove(name) }
}

extension Attribute where Value: BinaryInteger {
    /// The change that adds atomically; an absent attribute counts as 0.
    public func add(_ amount: Int) -> AttributeChange {
        .add(name, Int64(amount))
    }
}

extension Condition {
    public static func && (left: Condition, right: Condition) -> Condition {
        if case .all(let conditions) = left { return .all(conditions + [right]) }
        return .all([left, right])
    }

    public static func || (left: Condition, right: Condition) -> Condition {
        if case .any(let conditions) = left { return .any(conditions + [right]) }
        return .any([left, right])
    }
}

/// The items of one type in a table store.
public struct Table<Item: TableItem>: Sendable {
    public let store: any TableStore

    public init(_ store: any TableStore) {
        self.store = store
    }

    /// The item as of the last write that returned, or nil.
    ///
    /// - Throws: `PortError`; `invalidRequest` if the stored item can't be read as this type.
    public func get(_ key: ItemKey) async throws(PortError) -> Item? {
        guard let attributes = try await store.get(key, in: Item.schema) else { return nil }
        return try Item(attributes: attributes)
    }

    /// The items of distinct keys, in their order, nil where there is none.
    ///
    /// Not one snapshot. More keys than a store takes in one call are asked for in several.
    public func get(_ keys: [ItemKey]) async throws(PortError) -> [Item?] {
        var items: [Item?] = []
        for start in stride(from: 0, to: keys.count, by: TableLimits.keysPerGet) {
            let some = Array(keys[start..<min(start + TableLimits.keysPerGet, keys.count)])
            for attributes in try await store.get(some, in: Item.schema) {
                if let attributes { items.append(try Item(attributes: attributes)) } else { items.append(nil) }
            }
        }
        return items
    }

    /// One page of items; see `TableStore.query`.
    public func query(_ query: TableQuery) async throws(PortError) -> (items: [Item], next: TableCursor?) {
        let page = try await store.query(query, in: Item.schema).whole()
        var items: [Item] = []
        for attributes in page.items { items.append(try Item(attributes: attributes)) }
        return (items, page.next)
    }

    /// As `query`, but what is wrong with items that can't be read is told instead of thrown.
    public func readable(
        _ query: TableQuery
    ) async throws(PortError) -> (items: [Item], problems: [String], next: TableCursor?) {
        let page = try await store.query(query, in: Item.schema)
        var (items, problems): ([Item], [String]) = ([], page.problems)
        for attributes in page.items {
            do throws(PortError) { items.append(try Item(attributes: attributes)) } catch {
                problems.append(error.message)
            }
        }
        return (items, problems, page.next)
    }

    /// All items that a query finds, page after page.
    public func all(_ query: TableQuery) async throws(PortError) -> [Item] {
        var query = query
        var items: [Item] = []
        repeat {
            let page = try await self.query(query)
            items += page.items
            query.after = page.next
        } while query.after != nil
        return items
    }

    public func put(_ item: Item, if condition: Condition? = nil) async throws(PortError) {
        try await store.transact([try Self.putting(item, if: condition)])
    }

    public func update(
        _ key: ItemKey,
        _ changes: [AttributeChange],
        if condition: Condition? = nil
    ) async throws(PortError) {
        try await store.transact([Self.updating(key, changes, if: condition)])
    }

    /// Updates an item if the condition holds; false if it doesn't.
    public func updated(
        _ key: ItemKey,
        _ changes: [AttributeChange],
        if condition: Condition
    ) async throws(PortError) -> Bool {
        do {
            try await update(key, changes, if: condition)
            return true
        } catch {
            guard error.code == .conditionFailed else { throw error }
            return false
        }
    }

    /// The action that stores an item, for a transaction.
    public static func putting(_ item: Item, if condition: Condition? = nil) throws(PortError) -> TableAction {
        TableAction(Item.schema, item.key, .put(try item.attributes()), if: condition)
    }

    /// The action that changes an item, for a transaction.
    public static func updating(
        _ key: ItemKey,
        _ changes: [AttributeChange],
        if condition: Condition? = nil
    ) -> TableAction {
        TableAction(Item.schema, key, .update(changes), if: condition)
    }

    /// The action that removes an item, for a transaction.
    public static func deleting(_ key: ItemKey, if condition: Condition? = nil) -> TableAction {
        TableAction(Item.schema, key, .delete, if: condition)
    }
}

/// What a decoder said, and of which attribute.
private func words(_ error: any Error) -> String {
    let context: DecodingError.Context
    switch error as? DecodingError {
    case .dataCorrupted(let found), .typeMismatch(_, let found), .valueNotFound(_, let found): context = found
    case .keyNotFound(let key, _): return "it has no \(key.stringValue)"
    default: return "\(error)"
    }
    let path = context.codingPath.map(\.stringValue).joined(separator: ".")
    return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
}

extension TableItem {
    /// Reads an item out of its attributes.
    public init(attributes: AttributeMap) throws(PortError) {
        let found: String
        do {
            self = try ItemCoding.decode(Self.self, from: attributes)
            guard let problem else { return }
            found = problem
        } catch {
            found = words(error)
        }
        let key = Self.schema.key(of: attributes).map(\.description) ?? "?"
        throw PortError(.invalidRequest, "item \(key) of table \(Self.schema.name) can't be read: \(found)")
    }

    /// The item's attributes, its keys included.
    public func attributes() throws(PortError) -> AttributeMap {
        var map: AttributeMap
        do {
            map = try ItemCoding.encode(self)
        } catch {
            throw PortError(.invalidRequest, "item \(key) of table \(Self.schema.name) can't be stored", cause: error)
        }
        map[Self.schema.partitionKey] = .string(key.partition)
        if let name = Self.schema.sortKey, let sort = key.sort { map[name] = .string(sort) }
        return map
    }
}
