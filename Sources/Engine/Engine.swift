// The motion of the house: claims slices, delivers chunks, keeps the books, stops cleanly.
public import Logging
public import SluiceCore

/// What every part of the engine works with: the backend, the limits, and time, chance and log from outside.
public struct EngineContext: Sendable {
    public let backend: Backend
    public let parts: any JobParts
    public let settings: EngineSettings
    public let clock: any Timekeeping
    public let random: any RandomSource
    public let logger: Logger
    let recentPayloads: RecentPayloads

    public init(
        backend: Backend,
        parts: any JobParts,
        settings: EngineSettings = EngineSettings(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource(),
        logger: Logger
    ) {
        self.backend = backend
        self.parts = parts
        self.settings = settings
        self.clock = clock
        self.random = random
        self.logger = logger
        recentPayloads = RecentPayloads(bytesMax: settings.recentPayloadBytesMax)
    }

    /// The same on another backend.
    func on(_ backend: Backend) -> EngineContext {
        EngineContext(
            backend: backend,
            parts: parts,
            settings: settings,
            clock: clock,
            random: random,
            logger: logger
        )
    }

    var now: Timestamp { clock.now }
    var jobs: Table<Job> { Table(backend.tables) }
    var slices: Table<SliceItem> { Table(backend.tables) }
    var pages: Table<PageItem> { Table(backend.tables) }
    var chunks: Table<ChunkItem> { Table(backend.tables) }
    var receipts: Table<ReceiptItem> { Table(backend.tables) }
    var digests: Table<DigestItem> { Table(backend.tables) }
    var deadLetters: Table<DeadLetter> { Table(backend.tables) }

    func logger(for job: JobID) -> Logger {
        var logger = logger
        logger[metadataKey: "reindex_id"] = "\(job)"
        return logger
    }

    /// All slices of a job, in their order, as of the last writes that returned.
    func slices(of job: JobID) async throws(PortError) -> [SliceItem] {
        try await slices.all(TableQuery(partition: job.text, range: .prefix("slice#"), limit: 256))
    }

    /// The slices of a job that can be read, and what is wrong with the others.
    func readableSlices(of job: JobID) async throws(PortError) -> (slices: [SliceItem], problems: [String]) {
        var query = TableQuery(partition: job.text, range: .prefix("slice#"), limit: 256)
        var (slices, problems): ([SliceItem], [String]) = ([], [])
        repeat {
            let page = try await self.slices.readable(query)
            slices += page.items
            problems += page.problems
            query.after = page.next
        } while query.after != nil
        return (slices, problems)
    }

    /// Tries a call again, with backoff, for as long as it fails retryably and attempts are left.
    func retrying<Value: Sendable>(
        _ call: () async throws(PortError) -> Value
    ) async throws(PortError) -> Value {
        var attempt = 1
        while true {
            do {
                return try await call()
            } catch {
                guard error.isRetryable, attempt < settings.attemptsMax else { throw error }
                try await pause(settings.backoff.delay(afterAttempt: attempt, random: random))
                attempt += 1
            }
        }
    }

    /// Makes a call that gives something back, even if the task is cancelled before or meanwhile.
    ///
    /// - Parameter call: may be made twice. In a cancelled task it is given up after `farewell`.
    /// - Throws: what the call throws, and `PortError.timedOut` if it was given up.
    func evenIfCancelled(_ call: @escaping @Sendable () async throws(PortError) -> Void) async throws(PortError) {
        if !Task.isCancelled {
            do throws(PortError) {
                return try await call()
            } catch {
                guard Task.isCancelled else { throw error }
            }
        }
        let clock = clock
        // In a task of its own, for a cancelled one gets nothing through; it is waited for all the same.
        let outcome = await Task {
            await withTaskGroup(of: Result<Void, PortError>?.self) { group in
                group.addTask { await Self.outcome(of: call) }
                group.addTask {
                    // Cancelled when the call has ended; either way the wait is over.
                    try? await clock.sleep(for: Self.farewell)
                    return nil
                }
                let first = await group.next() ?? nil
                group.cancelAll()
                return first
            }
        }.value
        guard let outcome else { throw PortError(.timedOut, "not given back within \(Self.farewell)") }
        try outcome.get()
    }

    /// How long what is given back in a cancelled task may take.
    private static let farewell: Duration = .seconds(5)

    private static func outcome(
        of call: @Sendable () async throws(PortError) -> Void
    ) async -> Result<Void, PortError> {
        do throws(PortError) {
            return .success(try await call())
        } catch {
            return .failure(error)
        }
    }

    /// Writes a transaction and says what became of it.
    ///
    /// An answer that was lost is for the caller to look up.
    func write(_ actions: [TableAction]) async throws(PortError) -> WriteOutcome {
        do {
            try await backend.tables.transact(actions)
            return .applied
        } catch {
            if error.code == .conditionFailed { return .refused }
            if error.outcomeUnknown, error.code != .cancelled { return .unknown(error) }
            throw error
        }
    }

    /// Ends what a message or a receipt asked for: all at once where the backend can, else one after the other, so that
    /// whatever is cut off is done again when the message or the receipt comes back.
    ///
    /// In this order: the batch's actions, its sends, the closing actions, its deletes. What holds a sink's receipt is tried
    /// again while it fails retryably, for without it the sink would be given the same records once more.
    func conclude(_ batch: AtomicBatch, closing: [TableAction] = []) async throws(PortError) {
        if let atomic = backend.atomic {
            var batch = batch
            batch.actions += closing
            let whole = batch
            return try await retrying { () throws(PortError) in try await atomic.commit(whole) }
        }
        if !batch.actions.isEmpty {
            try await keep(batch.actions)
        }
        for send in batch.sends { try await queue(send.queue).send(send.messages) }
        if !closing.isEmpty { try await backend.tables.transact(closing) }
        for delete in batch.deletes { try await queue(delete.queue).delete(delete.receipts) }
    }

    /// Stores receipts; what was stored although its answer was lost counts as stored.
    private func keep(_ actions: [TableAction]) async throws(PortError) {
        var wasLost = false
        try await retrying { () throws(PortError) in
            do throws(PortError) {
                try await backend.tables.transact(actions)
            } catch {
                if wasLost, error.code == .conditionFailed, try await areKept(actions) { return }
                wasLost = wasLost || error.outcomeUnknown
                throw error
            }
        }
    }

    /// Whether every action stores a receipt that is there as it was to be stored, whatever has become of it since.
    private func areKept(_ actions: [TableAction]) async throws(PortError) -> Bool {
        for action in actions {
            guard action.schema == ReceiptItem.schema, case .put(let attributes) = action.effect,
                let kept = try await receipts.get(action.key)
            else { return false }
            guard kept.asAccepted == (try ReceiptItem(attributes: attributes)).asAccepted else { return false }
        }
        return true
    }

    private func queue(_ name: String) throws(PortError) -> any MessageQueue {
        guard let queue = backend.queues.all.first(where: { $0.name == name }) else {
            throw PortError(.notFound, "there is no queue \(name)")
        }
        return queue
    }

    /// Waits, unless the task is cancelled.
    func pause(_ duration: Duration) async throws(PortError) {
        do {
            try await clock.sleep(for: duration)
        } catch {
            throw PortError(.cancelled, "cancelled while waiting", cause: error)
        }
    }
}

/// What became of a transaction.
enum WriteOutcome {
    case applied
    /// A condition did not hold; nothing was written.
    case refused
    case unknown(PortError)
}

extension JobParts {
    public func output(of job: Job) throws(JobError) -> (any RecordSource)? { nil }
}

/// Makes the parts of a job that depend on what it moves; the assembly knows which.
public protocol JobParts: Sendable {
    /// - Throws: `JobError.field` if the URL or a setting it needs is missing or wrong.
    func source(for job: Job) throws(JobError) -> any RecordSource
    func transform(for job: Job) throws(JobError) -> any RecordTransform
    /// The sink as this process uses it; made once for each job.
    func sink(for job: Job) throws(JobError) -> any RecordSink
    /// What only one live job may write to, or nil if any number may.
    func destination(of job: Job) -> String?
    /// Checks, before a job is created, that its sink can be begun; changes nothing.
    func checkSink(of job: Job) throws(JobError)
    /// Whether what the sink holds can be compared with the source later, so that digests are worth keeping.
    func keepsDigests(of job: Job) -> Bool
    /// What a job has written, to be read like a source; nil where records are looked up by id, or not at all.
    func output(of job: Job) throws(JobError) -> (any RecordSource)?
}

extension ReceiptItem {
    /// Without what changes once it is stored.
    fileprivate var asAccepted: ReceiptItem {
        var receipt = self
        receipt.pollAt = nil
        receipt.open = nil
        receipt.ends = nil
        return receipt
    }
}
