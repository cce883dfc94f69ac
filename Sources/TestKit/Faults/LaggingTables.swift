// Tables whose secondary indexes are behind.
public import SluiceCore
import Synchronization

/// A table store whose indexes show the items as they were some writes ago; everything else answers as promised.
///
/// An item that was just written is, to an index, as it was before, or not there at all, as long as `lag` later writes
/// have not been made and nobody has called `catchUp`. It may then show a newer state than that write's, never an
/// older one. `get`, `scan` and queries by key are those of the store behind it, and so are conditions.
///
/// What is written by another way than through this store never shows in an index.
public final class LaggingTables: TableStore {
    private let store: any TableStore
    private let shown: any TableStore
    private let lag: Int?
    private let unseen = Mutex<[Write]>([])

    private struct Write: Sendable {
        let schema: TableSchema
        let key: ItemKey
    }

    /// - Parameters:
    ///   - store: holds the items.
    ///   - shown: an empty store of any kind, for what the indexes show.
    ///   - lag: how many writes of items the indexes are behind; nil until `catchUp`.
    public init(_ store: any TableStore, showing shown: any TableStore, lag: Int? = nil) {
        self.store = store
        self.shown = shown
        self.lag = lag
    }

    /// Lets the indexes show every write that has returned.
    public func catchUp() async throws(PortError) {
        try await show(allBut: 0)
    }

    public func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await store.get(key, in: schema)
    }

    public func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        try await store.get(keys, in: schema)
    }

    public func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        try await (query.index == nil ? store : shown).query(query, in: schema)
    }

    public func scan(
        _ schema: TableSchema,
        limit: Int,
        after cursor: TableCursor?
    ) async throws(PortError) -> TableQueryPage {
        try await store.scan(schema, limit: limit, after: cursor)
    }

    public func transact(_ actions: [TableAction]) async throws(PortError) {
        try await store.transact(actions)
        try await note(actions)
    }

    public func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try await store.writeEach(actions)
        try await note(actions)
    }

    private func note(_ actions: [TableAction]) async throws(PortError) {
        let writes = actions.map { Write(schema: $0.schema, key: $0.key) }
        unseen.withLock { $0 += writes }
        if let lag { try await show(allBut: lag) }
    }

    private func show(allBut newest: Int) async throws(PortError) {
        let due = unseen.withLock { unseen in
            let due = unseen.dropLast(newest)
            unseen.removeFirst(due.count)
            return Array(due)
        }
        for write in due { try await show(write) }
    }

    /// Two may show an item at once: whoever does so last has looked at it again afterwards.
    private func show(_ write: Write) async throws(PortError) {
        var item = try await store.get(write.key, in: write.schema)
        while true {
            let effect = item.map(TableAction.Effect.put) ?? .delete
            try await shown.writeEach([TableAction(write.schema, write.key, effect)])
            let now = try await store.get(write.key, in: write.schema)
            if now == item { return }
            item = now
        }
    }
}
