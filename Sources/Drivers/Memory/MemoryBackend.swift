// All ports in memory, opened together, by one process or by several that share them.
public import SluiceCore
import Synchronization

/// A backend in memory.
///
/// What one of its processes writes, the others read; nothing outlives the value.
///
/// A test has as many processes as it likes: each calls `open` under its own name, and `declareGone` ends one.
public final class MemoryBackend: AtomicBackend {
    private let house: MemoryHouse
    private let register = MemoryOwners.Register()
    private let bodyBytesMax: Int
    public let tables: MemoryTableStore
    public let objects = MemoryObjectStore()
    public let feed: MemoryChangeFeed

    /// An empty backend, whose messages may be as large as SQS's unless a test wants them small.
    public init(clock: any Timekeeping, bodyBytesMax: Int = MemoryQueue.usualBodyBytesMax) {
        let house = MemoryHouse(clock: clock)
        self.house = house
        self.bodyBytesMax = bodyBytesMax
        tables = MemoryTableStore(house: house)
        feed = MemoryChangeFeed(of: tables)
    }

    /// The ports as one process has them; two processes that are open at once need two names.
    ///
    /// Tables and queues share transactions if `isAtomic`, as they do embedded and do not in the cloud.
    public func open(as owner: OwnerID = OwnerID("memory"), isAtomic: Bool = true) -> Backend {
        for setup in Queues.setups { _ = queue(setup, as: owner) }
        return Backend(
            tables: tables,
            queues: Queues(
                replay: queue(QueueSetup(name: "replay"), as: owner),
                replayDeadLetters: queue(QueueSetup(name: "replay-dead-letters"), as: owner),
                progress: queue(QueueSetup(name: "progress"), as: owner),
                progressDeadLetters: queue(QueueSetup(name: "progress-dead-letters"), as: owner)
            ),
            objects: objects,
            feed: feed,
            owners: MemoryOwners(own: owner, register: register),
            atomic: isAtomic ? self : nil
        )
    }

    /// A queue of this backend; made when it is first asked for, and what its first setup says from then on.
    public func queue(_ setup: QueueSetup, as owner: OwnerID = OwnerID("memory")) -> MemoryQueue {
        MemoryQueue(setup, house: house, owner: owner, bodyBytesMax: bodyBytesMax)
    }

    /// Declares that a process has ended: it is gone for the registry, and what it had received is visible again.
    public func declareGone(_ owner: OwnerID) {
        register.leave(owner)
        let now = house.clock.now
        house.state.withLock { $0.release(from: owner, now: now) }
    }

    public func commit(_ batch: AtomicBatch) async throws(PortError) {
        let now = house.clock.now
        try house.state.withLock { state throws(PortError) in try state.commit(batch, now: now) }
    }
}

extension MemoryState {
    mutating func release(from owner: OwnerID, now: Timestamp) {
        for name in queues.keys.sorted() { self[queue: name].release(from: owner, now: now) }
    }
}
