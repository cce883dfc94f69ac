// A queue in the database: ready, held and delayed messages of one table, told apart by when they become visible.
public import SluiceCore

/// A queue that shares its file, and its commits, with everything else in the backend.
///
/// Messages come roughly in the order in which they became visible. A receive is one commit, however many messages it
/// brings, shared with whatever else is written at that time. Messages held by an owner that has ended are free at once.
public struct SQLiteQueue: MessageQueue {
    public let name: String
    let number: Int64
    let setup: QueueSetup
    /// The number of the dead-letter queue.
    let deadLetters: Int64?
    private let store: Store

    /// A message's body travels through memory whole, and through the file's log three times.
    public var bodyBytesMax: Int { 1024 * 1024 }

    static let delayMax = Duration.seconds(15 * 60)
    static let receiveMax = 1000
    /// How often a waiting receiver looks whether the owners of held messages have ended.
    private static let ownerCheckInterval = Duration.seconds(1)

    private init(setup: QueueSetup, number: Int64, deadLetters: Int64?, store: Store) {
        name = setup.name
        self.number = number
        self.setup = setup
        self.deadLetters = deadLetters
        self.store = store
    }

    /// The queues of these setups, made where they do not stand yet.
    static func make(_ setups: [QueueSetup], in store: Store) async throws(PortError) -> [SQLiteQueue] {
        let names = setups.flatMap { [$0.name] + ($0.deadLetterQueue.map { [$0] } ?? []) }
        let numbers = try await store.write { session in
            var numbers: [String: Int64] = [:]
            for name in names { numbers[name] = try QueueRows.number(of: name, in: session) }
            return numbers
        }
        return setups.compactMap { setup in
            numbers[setup.name].map { number in
                let deadLetters = setup.deadLetterQueue.flatMap { numbers[$0] }
                return SQLiteQueue(setup: setup, number: number, deadLetters: deadLetters, store: store)
            }
        }
    }

    public func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        guard !messages.isEmpty else { return }
        try check(messages)
        let rows = rows
        try await store.write { try rows.insert(messages, in: $0) }
    }

    public func receive(
        limit: Int,
        invisible: Duration,
        wait: Duration
    ) async throws(PortError) -> [ReceivedMessage] {
        guard (1...Self.receiveMax).contains(limit) else {
            throw PortError(.invalidRequest, "a receive asks for 1 to \(Self.receiveMax) messages, not \(limit)")
        }
        let deadline = store.clock.now.advanced(by: wait)
        var attempt = try await attempt(limit, invisible)
        if attempt.messages.isEmpty, try await store.releaseMessages(of: attempt.others) {
            attempt = try await self.attempt(limit, invisible)
        }
        guard attempt.messages.isEmpty, wait > .zero else { return attempt.messages }
        store.doorbell.enter()
        defer { store.doorbell.leave() }
        while !Task.isCancelled {
            // Read before looking, so that a message sent between the look and the wait ends the wait.
            let rings = store.doorbell.rings(of: .queue(number))
            attempt = try await self.attempt(limit, invisible)
            if !attempt.messages.isEmpty { return attempt.messages }
            if try await store.releaseMessages(of: attempt.others) { continue }
            let now = store.clock.now
            guard now < deadline else { return [] }
            var wakeAt = min(deadline, attempt.nextVisible ?? deadline)
            if !attempt.others.isEmpty { wakeAt = min(wakeAt, now.advanced(by: Self.ownerCheckInterval)) }
            await store.doorbell.wait(for: .queue(number), after: rings, until: wakeAt, clock: store.clock)
        }
        return []
    }

    public func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        guard !receipts.isEmpty else { return }
        let rows = rows
        try await store.write { try rows.delete(receipts, in: $0) }
    }

    public func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        guard !receipts.isEmpty else { return }
        let rows = rows
        let owner = store.ownerNumber
        try await store.write { try rows.hide(receipts, for: invisible, by: owner, in: $0) }
    }

    public func depth() async throws(PortError) -> QueueDepth {
        let number = number
        return try await store.read { try QueueRows.depth(of: number, at: $0.now, in: $0) }
    }

    /// The part that runs on a connection.
    var rows: QueueRows { QueueRows(number: number, setup: setup, deadLetters: deadLetters) }

    /// Refuses what can never be stored, before anything is.
    func check(_ messages: [OutgoingMessage]) throws(PortError) {
        for message in messages {
            if message.body.count > bodyBytesMax {
                let size = "\(message.body.count) bytes, over the limit of \(bodyBytesMax)"
                throw PortError(.invalidRequest, "a message for \(name) has \(size); put the body in an object")
            }
            if message.delay > Self.delayMax || message.delay < .zero {
                throw PortError(.invalidRequest, "a message for \(name) asks for a delay not within 0 to 15 minutes")
            }
        }
    }

    private func attempt(_ limit: Int, _ invisible: Duration) async throws(PortError) -> ReceiveAttempt {
        let rows = rows
        let owner = store.ownerNumber
        return try await store.write { try rows.receive(limit, invisible: invisible, by: owner, in: $0) }
    }
}

/// What a look into the queue brought.
struct ReceiveAttempt: Sendable {
    var messages: [ReceivedMessage] = []
    /// When the next hidden message becomes visible; told only if there were none.
    var nextVisible: Timestamp?
    /// Owners that may hold messages and may have ended; told only if there were none and some are hidden.
    var others: [OwnerRow] = []
}
