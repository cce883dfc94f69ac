// The SQL of table writes: conditions are looked at first, then everything is written.
import SluiceCore

/// An action checked as far as it can be without the stored item, with what it puts already encoded.
struct PreparedAction: Sendable {
    let action: TableAction
    let layout: TableLayout
    /// The item of a put.
    let row: Row?

    var sort: String { action.key.sort ?? "" }

    /// An item as it is written.
    struct Row: Sendable {
        let json: [UInt8]
        let ttl: Int64?
        let indexValues: [String?]

        init(_ item: AttributeMap, _ layout: TableLayout) throws(PortError) {
            let bytes = item.storedBytes
            guard bytes <= TableLimits.itemBytesMax else {
                let message =
                    "an item of the table \(layout.schema.name) has \(bytes) bytes, over the limit of "
                    + "\(TableLimits.itemBytesMax); keep large content in an object"
                throw PortError(.invalidRequest, message)
            }
            json = AttributeJSON.encode(item)
            ttl = layout.expiry(of: item)
            indexValues = layout.schema.indexes.flatMap { TableLayout.values(of: $0, for: item) }
        }
    }

    /// What the action will need to know of the stored item.
    var needsStored: Bool {
        if action.condition != nil { return true }
        switch action.effect {
        case .update: return true
        case .put, .delete: return layout.schema.isFollowed
        case .check: return false
        }
    }
}

/// Table writes on a connection.
enum TableRows {
    /// Applies all actions, or throws and leaves the rest to a rollback.
    static func apply(_ actions: [PreparedAction], in session: Session) throws {
        var stored: [StoredItem?] = []
        stored.reserveCapacity(actions.count)
        var failed: [Int] = []
        for (position, prepared) in actions.enumerated() {
            let old = prepared.needsStored ? try read(prepared, in: session) : nil
            stored.append(old)
            if let condition = prepared.action.condition, !condition.holds(for: old?.item) { failed.append(position) }
        }
        guard failed.isEmpty else {
            let keys = failed.map { "\(actions[$0].action.schema.name) \(actions[$0].action.key)" }
            let message = "a condition did not hold for \(keys.joined(separator: ", "))"
            throw PortError(.conditionFailed, message, failedActions: failed)
        }
        for (prepared, old) in zip(actions, stored) { try apply(prepared, to: old, in: session) }
    }

    /// An item as it was found, and its text for the feed.
    private struct StoredItem {
        let item: AttributeMap
        let json: [UInt8]
    }

    private static func read(_ prepared: PreparedAction, in session: Session) throws -> StoredItem? {
        let selection = try session.connection.statement(prepared.layout.selectRow)
        defer { selection.reset() }
        selection.bind(1, prepared.action.key.partition)
        selection.bind(2, prepared.sort)
        guard try selection.step() else { return nil }
        return StoredItem(item: try item(selection, 0, of: prepared.layout.schema.name), json: selection.blob(0))
    }

    private static func apply(_ prepared: PreparedAction, to old: StoredItem?, in session: Session) throws {
        switch prepared.action.effect {
        case .check: return
        case .delete:
            try remove(prepared, in: session)
            if let old { try follow(prepared, old: old.json, new: nil, in: session) }
        case .put:
            guard let row = prepared.row else { return }
            try write(row, prepared, in: session)
            try follow(prepared, old: old?.json, new: row.json, in: session)
        case .update(let changes):
            let row = try PreparedAction.Row(updated(prepared, old?.item, changes), prepared.layout)
            try write(row, prepared, in: session)
            try follow(prepared, old: old?.json, new: row.json, in: session)
        }
    }

    private static func updated(
        _ prepared: PreparedAction,
        _ old: AttributeMap?,
        _ changes: [AttributeChange]
    ) throws(PortError) -> AttributeMap {
        let schema = prepared.layout.schema
        let key = prepared.action.key
        var item = old ?? [schema.partitionKey: .string(key.partition)]
        if old == nil, let name = schema.sortKey, let sort = key.sort { item[name] = .string(sort) }
        for change in changes { try change.apply(to: &item) }
        guard schema.key(of: item) == key else {
            throw PortError(.invalidRequest, "an update of \(schema.name) \(key) would change its key")
        }
        return item
    }

    private static func write(_ row: PreparedAction.Row, _ prepared: PreparedAction, in session: Session) throws {
        let upsert = try session.connection.statement(prepared.layout.upsert)
        upsert.bind(1, prepared.action.key.partition)
        upsert.bind(2, prepared.sort)
        upsert.bind(3, row.ttl)
        upsert.bind(4, text: row.json)
        for (position, value) in row.indexValues.enumerated() {
            if let value { upsert.bind(Int32(position + 5), value) } else { upsert.bindNull(Int32(position + 5)) }
        }
        try upsert.run()
    }

    private static func remove(_ prepared: PreparedAction, in session: Session) throws {
        let deletion = try session.connection.statement(prepared.layout.deleteRow)
        deletion.bind(1, prepared.action.key.partition)
        deletion.bind(2, prepared.sort)
        try deletion.run()
    }

    private static func follow(
        _ prepared: PreparedAction,
        old: [UInt8]?,
        new: [UInt8]?,
        in session: Session
    ) throws {
        // A write that changes nothing is no change, as in DynamoDB's streams.
        guard prepared.layout.schema.isFollowed, old != new else { return }
        try FeedRows.append(
            table: prepared.layout.schema.name,
            partition: prepared.action.key.partition,
            sort: prepared.sort,
            old: old,
            new: new,
            in: session
        )
    }

    /// The item in a column.
    static func item(_ statement: Statement, _ column: Int32, of table: String) throws -> AttributeMap {
        guard let item = statement.withBytes(column, AttributeJSON.decode) else {
            throw PortError(
                .invalidRequest,
                "an item of the table \(table) cannot be read: it is not the JSON of an item"
            )
        }
        return item
    }
}
