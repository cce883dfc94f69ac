// Delivers one chunk: what is left to do of it, to the sink, with every record's outcome kept before the message goes.
import Logging
import SluiceCore

/// Handles messages of the replay queue by the transitions Gate and Deliver of the books.
///
/// Whenever a call throws, the message was not deleted: its redelivery goes on from the receipts and letters.
struct Deliverer: Sendable {
    let context: EngineContext
    let cache: JobCache
    let gate: Gate
    let sinks: SinkCache
    private let rendezvous: Rendezvous

    init(context: EngineContext, cache: JobCache, gate: Gate, sinks: SinkCache) {
        self.context = context
        self.cache = cache
        self.gate = gate
        self.sinks = sinks
        rendezvous = Rendezvous(clock: context.clock)
    }

    /// Handles one message to its end, and deletes it; one that would have to wait long for its job's rate is put off.
    ///
    /// - Parameters:
    ///   - message: of the replay queue.
    ///   - waitersMax: how many chunks of a job may wait here for its rate, however long.
    /// - Throws: why it was not deleted.
    func handle(_ message: ReceivedMessage, waitersMax: Int = .max) async throws {
        try await rendezvous.attend { try await self.handleAttended(message, waitersMax) }
    }

    private func handleAttended(_ message: ReceivedMessage, _ waitersMax: Int) async throws {
        let queue = context.backend.queues.replay
        let chunkMessage: ChunkMessage
        do {
            chunkMessage = try ChunkMessage(body: message.body)
        } catch {
            // Left to the queue's own redrive: it ends in the dead-letter queue, where somebody can look at it.
            context.logger.error("a message of the replay queue can't be read", metadata: ["error": "\(error)"])
            return
        }
        let chunk = try chunkMessage.chunk
        switch try await gate.verdict(on: chunk, of: chunkMessage) {
        case .dropped:
            try await queue.delete([message.receipt])
        case .orphan:
            try await gate.bookOrphan(chunk, count: chunkMessage.count)
            try await queue.delete([message.receipt])
        case .undecided:
            try await putOff(chunkMessage, message, by: deferral(chunkMessage.deferrals ?? 0))
        case .held:
            try await putOff(chunkMessage, message, by: Self.holdDelay)
        case .owned:
            try await deliver(chunkMessage, chunk, message, waitersMax)
        }
    }

    /// Puts a message off that failed for no fault of its own, such as while the object store is away.
    ///
    /// The wait grows with every time that it is put off, for whatever reason.
    func postpone(_ message: ReceivedMessage) async throws(PortError) {
        let chunk = try ChunkMessage(body: message.body)
        let wait = context.settings.backoff.bound(afterAttempt: (chunk.deferrals ?? 0) + 1)
        try await rendezvous.attend { () throws(PortError) in
            try await putOff(chunk, message, by: min(wait, Self.delayMax))
        }
    }

    private static let delayMax: Duration = .seconds(900)
    private static let holdDelay: Duration = .seconds(15)
    /// A rate that is raised meanwhile is felt by then.
    private static let turnDelayMax: Duration = .seconds(5)

    private func deferral(_ deferrals: Int) -> Duration {
        min(Self.delayMax, .seconds(1 << min(deferrals, 10)))
    }

    /// Sends a copy for later and deletes this one; putting off by visibility would use up receives.
    private func putOff(
        _ chunk: ChunkMessage,
        _ message: ReceivedMessage,
        by delay: Duration,
        isDeferral: Bool = true
    ) async throws(PortError) {
        var copy = chunk
        if isDeferral { copy.deferrals = (chunk.deferrals ?? 0) + 1 }
        try await conclude(
            sends: [try copy.outgoing(delay: delay)],
            to: context.backend.queues.replay,
            deleting: message
        )
    }

    private func deliver(
        _ message: ChunkMessage,
        _ chunk: ChunkID,
        _ received: ReceivedMessage,
        _ waitersMax: Int
    ) async throws {
        guard let job = try await cache.get(message.jobKey) else {
            try await context.backend.queues.replay.delete([received.receipt])
            return
        }
        let sink = try sinks.sink(for: job)
        var letters = Letters(count: message.count)
        var receipts: [ReceiptItem] = []
        if !isFirst(message, received) {
            let stored = try await context.chunks.get(ChunkItem.key(chunk))
            letters = stored.flatMap { Letters($0.letters) } ?? letters
            if sink is any ConfirmingSink { receipts = try await self.receipts(of: chunk) }
        }
        guard letters.count == message.count else {
            throw PortError(.invalidRequest, "chunk \(chunk) has \(letters.count) letters and \(message.count) records")
        }
        let todo = remaining(message, letters, receipts)
        var progress = ChunkProgress(count: message.count)
        progress.repeatWhatIsKnown(receipts)
        if !todo.isEmpty {
            var delivery = ChunkDelivery(
                context: context,
                cache: cache,
                job: job,
                sink: sink,
                throttle: sinks.throttle(for: job),
                message: message,
                chunk: chunk
            )
            try await delivery.applySettings()
            let turn = ThrottleTurn(delivery.throttle, records: todo.count)
            defer { turn.end() }
            if let wait = turn.begin(chunksMax: waitersMax) {
                return try await putOff(message, received, by: min(wait, Self.turnDelayMax), isDeferral: false)
            }
            delivery.turn = turn
            guard let records = try await records(of: message, chunk, letters, todo, &progress) else {
                try await finish(message, chunk, received, progress)
                return
            }
            try await delivery.run(todo, records: records, into: &progress)
        }
        try await finish(message, chunk, received, progress)
    }

    /// Whether nobody can have had the chunk in hand before, so that nothing is known of its records.
    ///
    /// A page and its messages are sent in one transaction, or else they may have been sent twice; and a chunk that seemed
    /// stuck may have been sent again while the first message was still waiting.
    private func isFirst(_ message: ChunkMessage, _ received: ReceivedMessage) -> Bool {
        let age = received.sentAt.duration(to: context.now)
        return context.backend.atomic != nil && message.isFirst == true && received.receiveCount == 1
            && age >= .zero && age < min(context.settings.repairAfter, EngineSettings.repairAfterMin)
    }

    /// The positions that no receipt covers and whose letter leaves something to do.
    private func remaining(_ message: ChunkMessage, _ letters: Letters, _ receipts: [ReceiptItem]) -> [Int] {
        if let redrive = message.redrive {
            let covered = Set(receipts.filter(\.isOpen).flatMap(\.positions))
            return redrive.sorted().filter { letters[$0] != .completed && !covered.contains($0) }
        }
        let covered = Set(receipts.flatMap(\.positions))
        return (0..<message.count).filter { !letters[$0].isFinal && !covered.contains($0) }
    }

    private func receipts(of chunk: ChunkID) async throws(PortError) -> [ReceiptItem] {
        let prefix = TableQuery.SortRange.prefix(ReceiptItem.prefix(chunk))
        return try await context.receipts.all(TableQuery(partition: chunk.job.text, range: prefix))
    }

    /// The chunk's records, or nil if their payload is gone: then what is left becomes dead letters.
    private func records(
        of message: ChunkMessage,
        _ chunk: ChunkID,
        _ letters: Letters,
        _ todo: [Int],
        _ progress: inout ChunkProgress
    ) async throws(PortError) -> ChunkRecords? {
        let reason: String
        switch try await ChunkPayload.read(message, chunk, context) {
        case .records(let records): return records
        case .missing: reason = "payload_missing"
        case .damaged(let problem): reason = "payload_damaged: \(problem)"
        }
        // A duplicate may have finished the chunk meanwhile, and its payload been removed: look again.
        let stored = try await context.chunks.get(ChunkItem.key(chunk))
        let now = stored.flatMap { Letters($0.letters) } ?? letters
        for position in todo where !now[position].isFinal {
            progress.refuse(position, recordID: nil, reason: reason, attempts: 0, payload: [])
        }
        return nil
    }

    /// Keeps dead letters; then stores a receipt, sends the event and deletes the message, in this order or all at once.
    func finish(
        _ message: ChunkMessage,
        _ chunk: ChunkID,
        _ received: ReceivedMessage,
        _ progress: ChunkProgress
    ) async throws(PortError) {
        try await DeadLetterKeeper(context: context).keep(progress, of: chunk)
        let event = ProgressEvent(
            job: message.jobKey,
            chunk: chunk,
            letters: progress.letters,
            chunksOfPage: message.chunksOfPage,
            places: progress.places
        )
        let receipts = try progress.receipts.map { receipt throws(PortError) in
            try Table<ReceiptItem>.putting(receipt, if: .itemAbsent)
        }
        let sends = progress.saysSomething ? [try event.outgoing()] : []
        try await conclude(receipts, sends: sends, to: context.backend.queues.progress, deleting: received)
    }

    private func conclude(
        _ actions: [TableAction] = [],
        sends: [OutgoingMessage],
        to queue: any MessageQueue,
        deleting message: ReceivedMessage
    ) async throws(PortError) {
        await rendezvous.meet(atMost: context.settings.commitDelay)
        try await context.conclude(
            AtomicBatch(
                actions: actions,
                sends: sends.isEmpty ? [] : [.init(queue: queue.name, messages: sends)],
                deletes: [.init(queue: context.backend.queues.replay.name, receipts: [message.receipt])]
            )
        )
    }
}
