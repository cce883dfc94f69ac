// Queues in memory.
public import SluiceCore
import Synchronization

/// A queue that keeps its messages in memory and hands them out in the order in which they become ready.
public final class MemoryQueue: MessageQueue {
    public let name: String
    public let bodyBytesMax: Int
    private let house: MemoryHouse
    private let owner: OwnerID

    /// SQS's limit on a message.
    public static let usualBodyBytesMax = 1 << 20

    /// A queue of its own, without a dead-letter queue; for queues that belong together, see `MemoryBackend`.
    public convenience init(
        _ setup: QueueSetup,
        clock: any Timekeeping,
        bodyBytesMax: Int = MemoryQueue.usualBodyBytesMax
    ) {
        self.init(setup, house: MemoryHouse(clock: clock), owner: OwnerID("alone"), bodyBytesMax: bodyBytesMax)
    }

    init(_ setup: QueueSetup, house: MemoryHouse, owner: OwnerID, bodyBytesMax: Int) {
        name = setup.name
        self.house = house
        self.owner = owner
        self.bodyBytesMax = bodyBytesMax
        house.state.withLock { $0.open(setup, bodyBytesMax: bodyBytesMax) }
    }

    public func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        let now = house.clock.now
        try house.state.withLock { state throws(PortError) in
            try state[queue: name].check(messages)
            state[queue: name].send(messages, now: now)
        }
    }

    public func receive(
        limit: Int,
        invisible: Duration,
        wait: Duration
    ) async throws(PortError) -> [ReceivedMessage] {
        guard (1...1000).contains(limit), invisible >= .zero else {
            throw PortError(.invalidRequest, "a receive is for 1 to 1000 messages, not \(limit), and not back in time")
        }
        let received = try await house.ask(for: wait) { state, now, isLast in
            let messages = state.receive(from: name, limit: limit, invisible: invisible, by: owner, now: now)
            if !messages.isEmpty { return .answer(messages) }
            return isLast ? .nothing : .wait(state[queue: name].hangBell(), due: state[queue: name].nextDue)
        }
        return received ?? []
    }

    public func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        house.state.withLock { $0[queue: name].delete(receipts) }
    }

    public func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        let now = house.clock.now
        house.state.withLock { $0[queue: name].changeVisibility(receipts, invisible: invisible, now: now) }
    }

    public func depth() async throws(PortError) -> QueueDepth {
        let now = house.clock.now
        return house.state.withLock { $0[queue: name].depth(now: now) }
    }
}

extension MemoryState {
    /// Makes a queue unless it is there; a queue that is there keeps its setup.
    mutating func open(_ setup: QueueSetup, bodyBytesMax: Int) {
        if queues[setup.name] == nil {
            queues[setup.name] = MemoryQueueState(setup, bodyBytesMax: bodyBytesMax)
        }
    }

    /// A queue that was opened.
    subscript(queue name: String) -> MemoryQueueState {
        get { queues[name] ?? MemoryQueueState(QueueSetup(name: name), bodyBytesMax: 0) }
        _modify { yield &queues[name, default: MemoryQueueState(QueueSetup(name: name), bodyBytesMax: 0)] }
    }

    /// Receives from a queue, and moves to its dead-letter queue what came too often.
    mutating func receive(
        from name: String,
        limit: Int,
        invisible: Duration,
        by owner: OwnerID,
        now: Timestamp
    ) -> [ReceivedMessage] {
        let taken = self[queue: name].receive(limit: limit, invisible: invisible, by: owner, now: now)
        if let deadLetters = self[queue: name].setup.deadLetterQueue {
            for message in taken.dead { self[queue: deadLetters].add(message, now: now) }
        }
        return taken.received
    }

    /// Applies a batch, or nothing of it.
    mutating func commit(_ batch: AtomicBatch, now: Timestamp) throws(PortError) {
        for name in batch.sends.map(\.queue) + batch.deletes.map(\.queue) where queues[name] == nil {
            throw PortError(.notFound, "there is no queue \(name)")
        }
        for send in batch.sends { try self[queue: send.queue].check(send.messages) }
        // The last step that can fail.
        try transact(batch.actions, now: now)
        for delete in batch.deletes { self[queue: delete.queue].delete(delete.receipts) }
        for send in batch.sends { self[queue: send.queue].send(send.messages, now: now) }
    }
}
