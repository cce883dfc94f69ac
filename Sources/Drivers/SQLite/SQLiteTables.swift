// Tables in the database, each made when it is first used.
public import SluiceCore
import Synchronization

/// Items as rows of readable JSON; every write is a share of a common commit, every read sees all writes that returned.
public final class SQLiteTables: TableStore {
    let store: Store
    private let layouts = Mutex<[String: TableLayout]>([:])

    init(store: Store) {
        self.store = store
    }

    public func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await get([key], in: schema)[0]
    }

    public func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        guard keys.count <= TableLimits.keysPerGet, Set(keys).count == keys.count else {
            throw PortError(.invalidRequest, "a get asks for up to 100 distinct keys, not \(keys.count)")
        }
        for key in keys { try Self.check(key, in: schema) }
        guard !keys.isEmpty else { return [] }
        let layout = try await layout(of: schema)
        let rows = try await store.read { session in
            let selection = try session.connection.statement(layout.selectRow)
            defer { selection.reset() }
            return try keys.map { key -> [UInt8]? in
                selection.reset()
                selection.bind(1, key.partition)
                selection.bind(2, key.sort ?? "")
                guard try selection.step() else { return nil }
                let isExpired = !selection.isNull(1) && selection.integer(1) < session.now.seconds
                return isExpired ? nil : selection.blob(0)
            }
        }
        // Decoded here and not on the connection, which others wait for.
        var items: [AttributeMap?] = []
        for row in rows {
            if let row { items.append(try Self.decode(row, of: schema)) } else { items.append(nil) }
        }
        return items
    }

    public func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        guard (1...1000).contains(query.limit) else {
            throw PortError(.invalidRequest, "a page holds 1 to 1000 items, not \(query.limit)")
        }
        let layout = try await layout(of: schema)
        return try await page(QuerySQL(query, layout), limit: query.limit, schema)
    }

    public func scan(
        _ schema: TableSchema,
        limit: Int,
        after: TableCursor?
    ) async throws(PortError) -> TableQueryPage {
        guard (1...1000).contains(limit) else {
            throw PortError(.invalidRequest, "a page holds 1 to 1000 items, not \(limit)")
        }
        let layout = try await layout(of: schema)
        return try await page(QuerySQL(scanOf: layout, limit: limit, after: after), limit: limit, schema)
    }

    public func transact(_ actions: [TableAction]) async throws(PortError) {
        guard !actions.isEmpty else { throw PortError(.invalidRequest, "a transaction needs an action") }
        let prepared = try await prepare(actions)
        try await store.write { try TableRows.apply(prepared, in: $0) }
    }

    public func writeEach(_ actions: [TableAction]) async throws(PortError) {
        for action in actions {
            switch action.effect {
            case .put where action.condition == nil, .delete where action.condition == nil: continue
            default: throw PortError(.invalidRequest, "writeEach takes puts and deletes without conditions")
            }
        }
        var rest = actions[...]
        while !rest.isEmpty {
            var prepared: [PreparedAction] = []
            for action in rest.prefix(Self.writesPerTurn) { prepared.append(try await prepare(action)) }
            rest = rest.dropFirst(Self.writesPerTurn)
            try await store.write { [prepared] session in
                // One by one, so that of two writes to one item the later sees the earlier.
                for action in prepared { try TableRows.apply([action], in: session) }
            }
        }
    }

    /// How many of `writeEach`'s writes are in one piece of work; others' work runs between the pieces.
    private static let writesPerTurn = 500

    /// Checks a transaction's actions as far as it can be done before they are applied.
    func prepare(_ actions: [TableAction]) async throws(PortError) -> [PreparedAction] {
        guard actions.count <= TableLimits.actionsPerTransaction else {
            let message =
                "a transaction has \(actions.count) actions, over the limit of "
                + "\(TableLimits.actionsPerTransaction)"
            throw PortError(.invalidRequest, message)
        }
        var seen: [String: Set<ItemKey>] = [:]
        var prepared: [PreparedAction] = []
        for action in actions {
            guard seen[action.schema.name, default: []].insert(action.key).inserted else {
                let message = "a transaction has two actions on \(action.schema.name) \(action.key)"
                throw PortError(.invalidRequest, message)
            }
            prepared.append(try await prepare(action))
        }
        return prepared
    }

    private func prepare(_ action: TableAction) async throws(PortError) -> PreparedAction {
        try Self.check(action.key, in: action.schema)
        let layout = try await layout(of: action.schema)
        guard case .put(let item) = action.effect else {
            return PreparedAction(action: action, layout: layout, row: nil)
        }
        guard action.schema.key(of: item) == action.key else {
            throw PortError(.invalidRequest, "an item for \(action.schema.name) \(action.key) has another key")
        }
        return PreparedAction(action: action, layout: layout, row: try PreparedAction.Row(item, layout))
    }

    /// The table's SQL; the table itself is made first if this opening has not used it yet.
    func layout(of schema: TableSchema) async throws(PortError) -> TableLayout {
        if let known = layouts.withLock({ $0[schema.name] }), known.schema == schema { return known }
        let layout = try TableLayout(schema)
        try await store.write { try layout.make(in: $0) }
        layouts.withLock { $0[schema.name] = layout }
        return layout
    }

    private func page(_ sql: QuerySQL, limit: Int, _ schema: TableSchema) async throws(PortError) -> TableQueryPage {
        let rows = try await store.read { try sql.rows(in: $0) }
        var (items, problems): ([AttributeMap], [String]) = ([], [])
        items.reserveCapacity(rows.count)
        for row in rows.prefix(limit) {
            do throws(PortError) {
                items.append(try Self.decode(row.json, of: schema))
            } catch {
                problems.append(error.message)
            }
        }
        // One row more than asked for tells that something follows.
        let next = rows.count > limit ? rows[limit - 1].cursor : nil
        return TableQueryPage(items: items, next: next, problems: problems)
    }

    private static func decode(_ json: [UInt8], of schema: TableSchema) throws(PortError) -> AttributeMap {
        guard let item = AttributeJSON.decode(json) else {
            throw PortError(
                .invalidRequest,
                "an item of the table \(schema.name) cannot be read: it is not the JSON of an item"
            )
        }
        return item
    }

    private static func check(_ key: ItemKey, in schema: TableSchema) throws(PortError) {
        guard (key.sort == nil) == (schema.sortKey == nil), !key.partition.isEmpty, key.sort != "" else {
            throw PortError(.invalidRequest, "\"\(key)\" is no key of the table \(schema.name)")
        }
    }
}
