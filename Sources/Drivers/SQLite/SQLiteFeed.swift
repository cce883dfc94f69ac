// The history of followed tables, written with each change and read by whoever follows.
public import SluiceCore

/// Changes in the order of their commits, kept for 24 hours; written in the change's own transaction, so none is lost.
public struct SQLiteFeed: ChangeFeed {
    static let limitMax = 1000

    private let store: Store
    private let tables: SQLiteTables

    init(store: Store, tables: SQLiteTables) {
        self.store = store
        self.tables = tables
    }

    public func read(
        _ schema: TableSchema,
        from position: FeedPosition,
        limit: Int,
        wait: Duration
    ) async throws(PortError) -> FeedPage {
        guard (1...Self.limitMax).contains(limit) else {
            throw PortError(.invalidRequest, "a page of a feed holds 1 to \(Self.limitMax) changes, not \(limit)")
        }
        guard schema.isFollowed else {
            throw PortError(.invalidRequest, "the table \(schema.name) is not followed")
        }
        _ = try await tables.layout(of: schema)
        let deadline = store.clock.now.advanced(by: wait)
        var start = try await number(of: position)
        var look = try await self.look(schema, start, limit)
        guard look.rows.isEmpty, wait > .zero else { return try page(look, schema) }
        store.doorbell.enter()
        defer { store.doorbell.leave() }
        while !Task.isCancelled {
            let rings = store.doorbell.rings(of: .feed)
            start = look.next
            look = try await self.look(schema, start, limit)
            if !look.rows.isEmpty || store.clock.now >= deadline { break }
            await store.doorbell.wait(for: .feed, after: rings, until: deadline, clock: store.clock)
        }
        return try page(look, schema)
    }

    /// The number after which to read; nil for the oldest change kept.
    private func number(of position: FeedPosition) async throws(PortError) -> Int64? {
        switch position {
        case .start: return nil
        case .latest: return try await store.read { try FeedRows.newest(in: $0) }
        case .at(let token):
            guard let number = Int64(token), number >= 0 else {
                throw PortError(.invalidRequest, "\"\(token)\" is no place in a change feed")
            }
            return number
        }
    }

    private func look(_ schema: TableSchema, _ start: Int64?, _ limit: Int) async throws(PortError) -> FeedRows.Look {
        let look = try await store.read { try FeedRows.read(schema.name, after: start, limit: limit, in: $0) }
        guard let look else {
            let message =
                "changes of the table \(schema.name) were trimmed before they were read here; go on from the start"
            throw PortError(.notFound, message)
        }
        return look
    }

    private func page(_ look: FeedRows.Look, _ schema: TableSchema) throws(PortError) -> FeedPage {
        var changes: [TableChange] = []
        changes.reserveCapacity(look.rows.count)
        for row in look.rows {
            changes.append(
                TableChange(
                    key: ItemKey(row.partition, schema.sortKey == nil ? nil : row.sort),
                    old: try image(row.old, schema),
                    new: try image(row.new, schema)
                )
            )
        }
        return FeedPage(changes: changes, next: .at(String(look.next)))
    }

    private func image(_ json: [UInt8]?, _ schema: TableSchema) throws(PortError) -> AttributeMap? {
        guard let json else { return nil }
        guard let item = AttributeJSON.decode(json) else {
            throw PortError(.unavailable, "a change of the table \(schema.name) cannot be read")
        }
        return item
    }
}
