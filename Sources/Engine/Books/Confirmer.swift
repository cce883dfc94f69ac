// Asks asynchronous sinks how accepted records have ended, books it, and closes the receipts; in that order.
import Logging
import SluiceCore

/// The transition Confirm of the books.
struct Confirmer: Sendable {
    let context: EngineContext
    let cache: JobCache
    let sinks: SinkCache

    /// Asks about every open receipt that is due; how many there were.
    func poll() async throws -> Int {
        let due = TableQuery(
            partition: ReceiptItem.openMark,
            range: .between("", context.now.description),
            index: ReceiptItem.openIndex.name,
            limit: 100
        )
        let found = try await context.receipts.query(due).items
        for found in found {
            // The index may lag behind the item.
            guard let receipt = try await context.receipts.get(found.key), receipt.isOpen else { continue }
            do {
                try await confirm(receipt)
            } catch let halted as DeliveryHalted {
                try await JobControl(context).pause(receipt.chunk.job, reason: halted.reason, holdingDelivery: true)
                try await putOff(receipt, by: context.settings.confirmInterval)
            }
        }
        return found.count
    }

    private func confirm(_ receipt: ReceiptItem) async throws {
        guard let job = try await cache.get(receipt.jobKey), let sink = try sinks.sink(for: job) as? any ConfirmingSink
        else { return try await close(receipt, ends: nil) }
        let slice = try await context.slices.get(SliceItem.key(job: receipt.chunk.job, index: receipt.chunk.slice))
        guard let slice, !slice.sealed else { return try await close(receipt, ends: nil) }
        let records: ChunkRecords
        switch try await ChunkPayload.read(ChunkMessage(receipt), receipt.chunk, context) {
        case .records(let found): records = found
        case .missing: return try await endWithoutRecords(receipt, "payload_missing")
        case .damaged(let problem): return try await endWithoutRecords(receipt, "payload_damaged: \(problem)")
        }
        let request = DeliveryRequest(
            chunk: receipt.chunk,
            positions: receipt.positions,
            records: records,
            attempt: receipt.attempt
        )
        let isLate = receipt.deadline <= context.now
        switch await sink.confirm(receipt.receipt, for: request) {
        case .ended(let outcomes) where outcomes.count == receipt.positions.count:
            try await end(receipt, job, sink, records, outcomes)
        case .ended(let outcomes):
            context.logger(for: job.id).error(
                "a sink answered for another number of records",
                metadata: ["receipt": "\(receipt.receipt)", "answered": "\(outcomes.count)"]
            )
            try await isLate ? giveUp(receipt, records, "confirmation_timeout") : putOff(receipt, by: interval)
        case .failed(let reason):
            try await end(receipt, job, sink, records, receipt.positions.map { _ in .retry(reason: reason) })
        case .forgotten where isLate:
            let reason = "the sink does not know its receipt any more"
            try await end(receipt, job, sink, records, receipt.positions.map { _ in .retry(reason: reason) })
        case .open, .forgotten, .unknown:
            try await isLate ? giveUp(receipt, records, "confirmation_timeout") : putOff(receipt, by: interval)
        case .halted(let reason):
            throw DeliveryHalted(reason: reason)
        }
    }

    private var interval: Duration { context.settings.confirmInterval }

    private func end(
        _ receipt: ReceiptItem,
        _ job: Job,
        _ sink: any ConfirmingSink,
        _ records: ChunkRecords,
        _ outcomes: [RecordOutcome]
    ) async throws {
        var progress = ChunkProgress(count: receipt.count)
        var retries: [Int] = []
        var ends: [Letter] = []
        for (position, outcome) in zip(receipt.positions, outcomes) {
            switch outcome {
            case .completed:
                progress.raise(position, to: .completed)
                ends.append(.completed)
            case .refused(let reason):
                bury(position, reason, receipt, records, &progress)
                ends.append(.failed)
            case .retry(let reason):
                if receipt.attempt < context.settings.attemptsMax {
                    retries.append(position)
                    progress.raise(position, to: .accepted)
                    ends.append(.accepted)
                } else {
                    bury(position, "gave up after \(receipt.attempt) attempts: \(reason)", receipt, records, &progress)
                    ends.append(.failed)
                }
            }
        }
        if !retries.isEmpty {
            // The new receipt stands before the old one is closed: at every moment something covers the records.
            let delivery = ChunkDelivery(
                context: context,
                cache: cache,
                job: job,
                sink: sink,
                throttle: sinks.throttle(for: job),
                message: ChunkMessage(receipt),
                chunk: receipt.chunk
            )
            try await delivery.run(retries, records: records, attempt: receipt.attempt + 1, into: &progress)
        }
        try await say(progress, receipt)
        try await close(receipt, ends: String(decoding: ends.map(\.rawValue), as: UTF8.self))
    }

    /// A payload is removed when every letter of its chunk is final: a second receipt of the same records then has
    /// nothing left to say, least of all a dead letter without the record over one that has it.
    private func endWithoutRecords(_ receipt: ReceiptItem, _ reason: String) async throws {
        let letters = try await context.chunks.get(ChunkItem.key(receipt.chunk)).flatMap { Letters($0.letters) }
        guard let letters, receipt.positions.allSatisfy({ $0 < letters.count && letters[$0].isFinal }) else {
            return try await giveUp(receipt, nil, reason)
        }
        let ends = receipt.positions.map { letters[$0].rawValue }
        try await close(receipt, ends: String(decoding: ends, as: UTF8.self))
    }

    private func giveUp(_ receipt: ReceiptItem, _ records: ChunkRecords?, _ reason: String) async throws {
        var progress = ChunkProgress(count: receipt.count)
        for position in receipt.positions { bury(position, reason, receipt, records, &progress) }
        try await say(progress, receipt)
        try await close(receipt, ends: String(repeating: "f", count: receipt.positions.count))
    }

    private func bury(
        _ position: Int,
        _ reason: String,
        _ receipt: ReceiptItem,
        _ records: ChunkRecords?,
        _ progress: inout ChunkProgress
    ) {
        progress.refuse(
            position,
            recordID: records?.id(at: position),
            reason: reason,
            attempts: receipt.attempt,
            payload: records?.record(at: position) ?? [],
            as: .failed
        )
    }

    private func say(_ progress: ChunkProgress, _ receipt: ReceiptItem) async throws(PortError) {
        try await DeadLetterKeeper(context: context).keep(progress, of: receipt.chunk)
        let event = ProgressEvent(
            job: receipt.jobKey,
            chunk: receipt.chunk,
            letters: progress.letters,
            chunksOfPage: receipt.chunksOfPage
        )
        try await context.backend.queues.progress.send([try event.outgoing()])
    }

    private func close(_ receipt: ReceiptItem, ends: String?) async throws(PortError) {
        var changes = [ReceiptItem.openAttribute.remove, ReceiptItem.pollAtAttribute.remove]
        if let ends { changes.append(ReceiptItem.endsAttribute.set(ends)) }
        try await context.receipts.update(receipt.key, changes, if: .itemExists)
    }

    private func putOff(_ receipt: ReceiptItem, by interval: Duration) async throws(PortError) {
        let next = ReceiptItem.pollAtAttribute.set(context.now.advanced(by: interval))
        let open = ReceiptItem.openAttribute == ReceiptItem.openMark
        _ = try await context.receipts.updated(receipt.key, [next], if: open)
    }
}

extension ChunkMessage {
    /// The message that would bring a receipt's chunk again.
    init(_ receipt: ReceiptItem) {
        self.init(
            job: receipt.jobKey,
            chunk: receipt.chunk,
            count: receipt.count,
            chunksOfPage: receipt.chunksOfPage,
            offset: receipt.payloadOffset,
            length: receipt.payloadLength
        )
        payloadKey = receipt.payloadKey
    }
}
