// The history of tables in memory.
public import SluiceCore
import Synchronization

/// The changes of the followed tables of one store.
public final class MemoryChangeFeed: ChangeFeed {
    private let house: MemoryHouse

    /// Follows the tables of a store.
    public init(of store: MemoryTableStore) {
        house = store.house
    }

    public func read(
        _ schema: TableSchema,
        from position: FeedPosition,
        limit: Int,
        wait: Duration
    ) async throws(PortError) -> FeedPage {
        guard schema.isFollowed else {
            throw PortError(.invalidRequest, "the changes of table \(schema.name) are not kept")
        }
        // Where to go on while nothing comes; "the latest" means that of the call, not that of its end.
        let begin = Mutex(position)
        let page = try await house.ask(for: wait) { state, now, isLast throws(PortError) in
            let position = begin.withLock { $0 }
            let page = try state[schema].changes.read(from: position, limit: limit, now: now)
            if !page.changes.isEmpty || isLast { return .answer(page) }
            begin.withLock { $0 = page.next }
            return .wait(state[schema].changes.bells.hang(), due: nil)
        }
        return page ?? FeedPage(changes: [], next: begin.withLock { $0 })
    }
}
