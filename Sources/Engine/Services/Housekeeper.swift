// The slow work: stuck chunks sent again, dead-letter queues emptied, old ledgers sealed and purged.
import Logging
import SluiceCore
import Synchronization

/// Repair, dead-letter queues and retention; run by one process at a time, by schedule.
final class Housekeeper: Sendable {
    let context: EngineContext
    let gate: Gate
    private let standings = Mutex<[String: Standing]>([:])

    private struct Standing: Equatable {
        var sheet: BalanceSheet
        var since: Timestamp
    }

    init(_ context: EngineContext, gate: Gate) {
        self.context = context
        self.gate = gate
    }

    /// Sends the unfinished chunks of slices again whose counters have not moved for `repairAfter`.
    func repairStuck() async throws {
        for job in try await JobStore(context).live() where job.status == .inProgress {
            try await unlessSpoilt(job) {
                for slice in try await context.slices(of: job.id) where !slice.balance.isSettled {
                    guard isStuck(slice) else { continue }
                    let sent = try await resend(job, slice)
                    context.logger(for: job.id).warning(
                        "records had not moved for long; their chunks were sent again",
                        metadata: ["slice": "\(slice.index)", "chunks": "\(sent)"]
                    )
                }
            }
        }
    }

    /// Removes payloads of live jobs that nobody needs any more.
    func sweepPayloads() async throws {
        for job in try await JobStore(context).live() {
            try await unlessSpoilt(job) { try await PayloadJanitor.sweep(job.id, context) }
        }
    }

    /// What somebody has spoilt of one job keeps no other from its turn.
    private func unlessSpoilt(_ job: Job, _ work: () async throws -> Void) async throws {
        do {
            try await work()
        } catch let error as PortError {
            guard error.code == .invalidRequest else { throw error }
            context.logger(for: job.id).error("the job can't be looked after", metadata: ["error": "\(error.message)"])
        }
    }

    private func isStuck(_ slice: SliceItem) -> Bool {
        let key = "\(slice.job)#\(slice.index)"
        let now = context.now
        return standings.withLock { standings in
            if let known = standings[key], known.sheet == slice.balance {
                guard known.since.duration(to: now) >= context.settings.repairAfter else { return false }
                standings[key] = Standing(sheet: slice.balance, since: now)
                return true
            }
            standings[key] = Standing(sheet: slice.balance, since: now)
            return false
        }
    }

    /// Sends every chunk of a slice again that has a record in flight or awaiting; how many.
    ///
    /// Safe at any moment.
    func resend(_ job: Job, _ slice: SliceItem) async throws(PortError) -> Int {
        var sent = 0
        var query = TableQuery(partition: job.id.text, range: .prefix("page#\(pad(slice.index, 3))#"), limit: 100)
        repeat {
            let found = try await context.pages.query(query)
            for page in found.items { sent += try await resend(job, page) }
            query.after = found.next
        } while query.after != nil
        return sent
    }

    private func resend(_ job: Job, _ page: PageItem) async throws(PortError) -> Int {
        guard !page.sizes.isEmpty else { return 0 }
        let ids = page.sizes.indices.map { number in
            ChunkID(job: job.id, slice: page.slice, page: page.page, epoch: page.epoch, number: number)
        }
        let items = try await context.chunks.get(ids.map { ChunkItem.key($0) })
        var messages: [OutgoingMessage] = []
        for (number, item) in items.enumerated() {
            let letters = item.flatMap { Letters($0.letters) } ?? Letters(count: page.sizes[number])
            guard letters.values.contains(where: { !$0.isFinal }) else { continue }
            let message = ChunkMessage(
                job: job.jobKey,
                chunk: ids[number],
                count: page.sizes[number],
                chunksOfPage: page.sizes.count,
                offset: page.offsets[number],
                length: page.offsets[number + 1] - page.offsets[number]
            )
            messages.append(try message.outgoing())
        }
        if !messages.isEmpty { try await context.backend.queues.replay.send(messages) }
        return messages.count
    }

    /// Sends again what its receives were used up for, books what even so can't be delivered, and repeats progress events.
    ///
    /// - Returns: how many messages it dealt with.
    func emptyDeadLetterQueues() async throws -> Int {
        let undeliverable = try await context.backend.queues.replayDeadLetters.receive(
            limit: 10,
            invisible: context.settings.visibility,
            wait: .zero
        )
        for message in undeliverable { try await unlessBroken { try await self.bury(message) } }
        let events = try await context.backend.queues.progressDeadLetters.receive(
            limit: 10,
            invisible: context.settings.visibility,
            wait: .zero
        )
        for event in events { try await unlessBroken { try await self.repeatEvent(event) } }
        return undeliverable.count + events.count
    }

    /// One message that can't be dealt with does not keep the others waiting; a backend that is out of reach does.
    private func unlessBroken(_ deal: () async throws -> Void) async throws {
        do {
            try await deal()
        } catch let error as PortError where error.isRetryable || error.code == .cancelled {
            throw error
        } catch {
            context.logger.error(
                "a message of a dead-letter queue could not be dealt with; it comes again",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// How long a message that nobody can read is out of the way of the others.
    ///
    /// SQS hides a message for 12 hours at most, counted from its receive.
    private static let setAside: Duration = .seconds(11 * 3600)

    private func repeatEvent(_ event: ReceivedMessage) async throws {
        let queue = context.backend.queues.progressDeadLetters
        guard (try? ProgressEvent(body: event.body)) != nil else {
            // It stays for a person to look at.
            return try await queue.changeVisibility([event.receipt], invisible: Self.setAside)
        }
        try await context.backend.queues.progress.send([OutgoingMessage(body: event.body)])
        try await queue.delete([event.receipt])
    }

    private func bury(_ message: ReceivedMessage) async throws {
        let queue = context.backend.queues.replayDeadLetters
        let chunkMessage: ChunkMessage
        do {
            chunkMessage = try ChunkMessage(body: message.body)
        } catch {
            context.logger.error("a dead-letter queue holds a message nobody can read", metadata: ["error": "\(error)"])
            return try await queue.changeVisibility([message.receipt], invisible: Self.setAside)
        }
        let chunk = try chunkMessage.chunk
        switch try await gate.verdict(on: chunk, of: chunkMessage) {
        case .dropped: break
        case .orphan: try await gate.bookOrphan(chunk, count: chunkMessage.count)
        case .undecided, .held:
            try await context.backend.queues.replay.send([try chunkMessage.outgoing(delay: .seconds(60))])
        case .owned:
            let returns = chunkMessage.returns ?? 0
            if returns < Self.returnsMax {
                var copy = chunkMessage
                copy.returns = returns + 1
                try await context.backend.queues.replay.send([try copy.outgoing(delay: .seconds(1 << returns))])
            } else {
                try await bury(chunkMessage, chunk, receives: message.receiveCount * (returns + 1))
            }
        }
        try await queue.delete([message.receipt])
    }

    /// A process that dies uses up a receive of every chunk it had in hand, through no fault of theirs: what the
    /// dead-letter queue holds is tried again so often before it counts as undeliverable.
    static let returnsMax = 4

    private func bury(_ message: ChunkMessage, _ chunk: ChunkID, receives: Int) async throws {
        let prefix = TableQuery.SortRange.prefix(ReceiptItem.prefix(chunk))
        let receipts = try await context.receipts.all(TableQuery(partition: chunk.job.text, range: prefix))
        let covered = Set(receipts.flatMap(\.positions))
        let records = try await ChunkPayload.read(message, chunk, context).readable
        // After the payload: it is removed once every letter is final, and then there is nothing left to bury.
        let letters =
            try await context.chunks.get(ChunkItem.key(chunk)).flatMap { Letters($0.letters) }
            ?? Letters(count: message.count)
        guard letters.count == message.count else {
            let problem =
                "a message of chunk \(chunk) speaks of \(message.count) records, its letters of \(letters.count)"
            throw PortError(.invalidRequest, problem)
        }
        var progress = ChunkProgress(count: message.count)
        progress.repeatWhatIsKnown(receipts)
        for position in 0..<message.count where !letters[position].isFinal && !covered.contains(position) {
            progress.refuse(
                position,
                recordID: records?.id(at: position),
                reason: "undeliverable: no worker could handle it in \(receives) receives",
                attempts: receives,
                payload: records?.record(at: position) ?? []
            )
        }
        guard progress.saysSomething else { return }
        try await DeadLetterKeeper(context: context).keep(progress, of: chunk)
        let event = ProgressEvent(
            job: message.jobKey,
            chunk: chunk,
            letters: progress.letters,
            chunksOfPage: message.chunksOfPage
        )
        try await context.backend.queues.progress.send([try event.outgoing()])
    }

    /// Seals and purges the ledgers of jobs that ended longer than `ledgerRetention` ago; how many.
    func sealOld() async throws -> Int {
        var count = 0
        for job in try await JobStore(context).list() where job.status.isFinal && job.sealedAt == nil {
            guard let ended = job.finishedAt,
                ended.advanced(by: context.settings.ledgerRetention) < context.now
            else { continue }
            try await unlessSpoilt(job) {
                try await seal(job)
                count += 1
            }
        }
        return count
    }

    /// Seals every slice first, so that whatever comes later meets the seal; only then removes the ledger.
    func seal(_ job: Job) async throws {
        for index in 0..<job.concurrency {
            // Unread, so that a slice that somebody has spoilt is sealed too; false for one that is gone.
            let key = SliceItem.key(job: job.id, index: index)
            _ = try await context.slices.updated(key, [SliceItem.sealed.set(true)], if: .itemExists)
        }
        for prefix in ["page#", "chunk#", "orphan#", DigestItem.prefix] {
            try await purge(job.id, prefix, ledgerSchema)
        }
        try await purge(job.id, "receipt#", ReceiptItem.schema)
        try await purge(job.id, "dead#", DeadLetter.schema)
        try await PayloadJanitor.removeAll(of: job.id, context)
        try await PayloadJanitor.removeAll(under: DeadLetter.objectPrefix(job.id), context)
        try await context.jobs.update(job.key, [Job.sealedAt.set(context.now), Job.live.remove], if: .itemExists)
    }

    private func purge(_ job: JobID, _ prefix: String, _ schema: TableSchema) async throws(PortError) {
        while true {
            let query = TableQuery(partition: job.text, range: .prefix(prefix), limit: 500)
            let page = try await context.backend.tables.query(query, in: schema).whole()
            guard !page.items.isEmpty else { return }
            let deletes = page.items.compactMap { item in
                schema.key(of: item).map { TableAction(schema, $0, .delete) }
            }
            for start in stride(from: 0, to: deletes.count, by: TableLimits.actionsPerTransaction) {
                let end = min(start + TableLimits.actionsPerTransaction, deletes.count)
                try await context.backend.tables.writeEach(Array(deletes[start..<end]))
            }
        }
    }
}
