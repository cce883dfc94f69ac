// One table: its items, its indexes and its latest changes.
import SluiceCore

/// A table as a value.
struct MemoryTable {
    let schema: TableSchema
    private var partitions: [ByteString: SortedItems<AttributeMap>] = [:]
    /// For each index, its partitions; an index holds the keys of items, ordered by its sort key, then by theirs.
    private var indexes: [String: [ByteString: SortedItems<ItemKey>]] = [:]
    var changes = MemoryChanges()

    init(_ schema: TableSchema) {
        self.schema = schema
    }

    func item(_ key: ItemKey) -> AttributeMap? {
        partitions[ByteString(key.partition)]?[SortKey(key.sort ?? "")]
    }

    /// Replaces or removes the item under a key, and keeps indexes and changes in step.
    mutating func store(_ item: AttributeMap?, at key: ItemKey, now: Timestamp) {
        let old = self.item(key)
        partitions[ByteString(key.partition), default: SortedItems()][SortKey(key.sort ?? "")] = item
        if partitions[ByteString(key.partition)]?.isEmpty == true { partitions[ByteString(key.partition)] = nil }
        for index in schema.indexes {
            if let old, let (partition, sort) = place(of: old, at: key, in: index) {
                indexes[index.name, default: [:]][partition, default: SortedItems()][sort] = nil
            }
            if let item, let (partition, sort) = place(of: item, at: key, in: index) {
                indexes[index.name, default: [:]][partition, default: SortedItems()][sort] = key
            }
        }
        if schema.isFollowed, old != item {
            changes.append(TableChange(key: key, old: old, new: item), now: now)
        }
    }

    /// Removes the items whose time to live has passed.
    mutating func removeExpired(now: Timestamp) {
        guard schema.ttl != nil else { return }
        for partition in partitions.keys.sorted() {
            let expired = partitions[partition]?.values.filter { schema.isExpired($0, now: now) } ?? []
            for key in expired.compactMap({ schema.key(of: $0) }) { store(nil, at: key, now: now) }
        }
    }

    /// Where an item stands in an index, if it has the index's attributes.
    private func place(of item: AttributeMap, at key: ItemKey, in index: TableIndex) -> (ByteString, SortKey)? {
        guard case .string(let partition)? = item[index.partitionKey] else { return nil }
        var sort = ""
        if let name = index.sortKey {
            guard case .string(let text)? = item[name] else { return nil }
            sort = text
        }
        return (ByteString(partition), SortKey(sort, key.partition, key.sort ?? ""))
    }
}

// MARK: Reading pages

extension MemoryTable {
    /// One page of a partition of the table or of an index.
    ///
    /// Expired items count for the limit and are left out, as in the cloud, so that callers get used to short pages.
    func query(_ query: TableQuery, now: Timestamp) throws(PortError) -> TableQueryPage {
        guard (1...1000).contains(query.limit) else {
            throw PortError(.invalidRequest, "a page holds 1 to 1000 items, not \(query.limit)")
        }
        guard let name = query.index else {
            let items = partitions[ByteString(query.partition)] ?? SortedItems()
            return try page(query, keys: items.keys, now: now) { items.values[$0] }
        }
        guard schema.indexes.contains(where: { $0.name == name }) else {
            throw PortError(.notFound, "table \(schema.name) has no index \(name)")
        }
        let keys = indexes[name]?[ByteString(query.partition)] ?? SortedItems()
        return try page(query, keys: keys.keys, now: now) { item(keys.values[$0]) }
    }

    private func page(
        _ query: TableQuery,
        keys: [SortKey],
        now: Timestamp,
        item: (Int) -> AttributeMap?
    ) throws(PortError) -> TableQueryPage {
        var range = query.range.positions(in: keys)
        if let cursor = query.after {
            let last = try SortKey(cursor)
            let after = keys.position { $0 < last }
            let isThere = after < keys.count && keys[after] == last
            // Ascending goes on behind the last key, descending before it; the key itself may be gone.
            range =
                query.descending
                ? range.clamped(to: 0..<after) : range.clamped(to: after + (isThere ? 1 : 0)..<keys.count)
        }
        let positions = query.descending ? range.suffix(query.limit).reversed() : Array(range.prefix(query.limit))
        let items = positions.compactMap(item).filter { !schema.isExpired($0, now: now) }
        let isLast = positions.count == range.count
        return TableQueryPage(items: items, next: isLast ? nil : positions.last.map { keys[$0].cursor })
    }

    /// One page of all items, by partition and sort key.
    func scan(limit: Int, after cursor: TableCursor?, now: Timestamp) throws(PortError) -> TableQueryPage {
        guard limit >= 1 else { throw PortError(.invalidRequest, "a page holds 1 item or more, not \(limit)") }
        let last = try cursor.map { cursor throws(PortError) in try SortKey(cursor) }
        var page = TableQueryPage(items: [], next: nil)
        var seen = 0
        for partition in partitions.keys.sorted() {
            if let last, SortKey(partition.text, "") < SortKey(last.parts[0], "") { continue }
            guard let items = partitions[partition] else { continue }
            for (key, item) in zip(items.keys, items.values) {
                let place = SortKey(parts: [partition.text] + key.parts)
                if let last, place <= last { continue }
                if seen == limit { return page }
                seen += 1
                page.next = place.cursor
                if !schema.isExpired(item, now: now) { page.items.append(item) }
            }
        }
        page.next = nil
        return page
    }
}

extension TableQuery.SortRange {
    /// The positions of the keys whose first part is in the range.
    fileprivate func positions(in keys: [SortKey]) -> Range<Int> {
        switch self {
        case .everything:
            return 0..<keys.count
        case .prefix(let prefix):
            let start = keys.position { $0.parts[0].utf8.lexicographicallyPrecedes(prefix.utf8) }
            let end = keys[start...].firstIndex { !$0.parts[0].utf8.starts(with: prefix.utf8) }
            return start..<(end ?? keys.count)
        case .between(let low, let high):
            let start = keys.position { $0.parts[0].utf8.lexicographicallyPrecedes(low.utf8) }
            let end = keys.position { !high.utf8.lexicographicallyPrecedes($0.parts[0].utf8) }
            return start..<max(start, end)
        }
    }
}

extension [SortKey] {
    /// The position of the first key for which the condition, which holds for the keys before it, does not hold.
    fileprivate func position(while holds: (SortKey) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
