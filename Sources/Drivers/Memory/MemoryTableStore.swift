// Tables in memory.
public import SluiceCore
import Synchronization

/// A table store that keeps its items in memory; a table is there as soon as it is named.
///
/// Items whose time to live has passed are hidden from readers, and count for conditions until `removeExpired`.
public final class MemoryTableStore: TableStore {
    let house: MemoryHouse

    /// A store of its own; for one that shares transactions with queues, see `MemoryBackend`.
    public convenience init(clock: any Timekeeping) {
        self.init(house: MemoryHouse(clock: clock))
    }

    init(house: MemoryHouse) {
        self.house = house
    }

    public func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        let now = house.clock.now
        let item = house.state.withLock { $0[schema].item(key) }
        return item.flatMap { schema.isExpired($0, now: now) ? nil : $0 }
    }

    public func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        guard keys.count <= TableLimits.keysPerGet, Set(keys).count == keys.count else {
            throw PortError(.invalidRequest, "one call reads up to 100 keys, each once, not \(keys.count)")
        }
        let now = house.clock.now
        let items = house.state.withLock { state in keys.map { state[schema].item($0) } }
        return items.map { $0.flatMap { schema.isExpired($0, now: now) ? nil : $0 } }
    }

    public func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        let now = house.clock.now
        return try house.state.withLock { state throws(PortError) in try state[schema].query(query, now: now) }
    }

    public func scan(
        _ schema: TableSchema,
        limit: Int,
        after cursor: TableCursor?
    ) async throws(PortError) -> TableQueryPage {
        let now = house.clock.now
        return try house.state.withLock { state throws(PortError) in
            try state[schema].scan(limit: limit, after: cursor, now: now)
        }
    }

    public func transact(_ actions: [TableAction]) async throws(PortError) {
        guard !actions.isEmpty else { throw PortError(.invalidRequest, "a transaction has no actions") }
        let now = house.clock.now
        try house.state.withLock { state throws(PortError) in try state.transact(actions, now: now) }
    }

    public func writeEach(_ actions: [TableAction]) async throws(PortError) {
        let now = house.clock.now
        for action in actions {
            try house.state.withLock { state throws(PortError) in try state.transact([action], now: now) }
        }
    }

    /// Removes the items of a table whose time to live has passed, as a cloud's table does some time later.
    public func removeExpired(from schema: TableSchema) {
        let now = house.clock.now
        house.state.withLock { $0[schema].removeExpired(now: now) }
    }
}
