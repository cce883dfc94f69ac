// Acts on what a sink has said of a receipt: books the ends, buries, delivers again, and then closes the receipt.
import SluiceCore

extension Confirmer {
    /// What it takes to act on what a sink says of a receipt.
    struct FollowUp {
        let receipt: ReceiptItem
        let job: Job
        let sink: any ConfirmingSink
        let payload: ReceiptPayload
    }

    func wait(_ followUp: FollowUp, _ isLate: Bool, atLeast: Duration? = nil) async throws {
        guard isLate else { return try await putOff(followUp.receipt, by: max(interval, atLeast ?? .zero)) }
        let records = try await followUp.payload.read()
        if let loss = records.loss { return try await endWithoutRecords(followUp.receipt, loss) }
        try await giveUp(followUp.receipt, records.readable, "confirmation_timeout")
    }

    func end(_ followUp: FollowUp, _ outcomes: [RecordOutcome], inHalves: Bool = false) async throws {
        let receipt = followUp.receipt
        var outcomes = outcomes
        var records: ChunkRecords?
        // Most receipts end here, and nobody reads a payload for them.
        if outcomes.contains(where: { $0 != .completed }) {
            let payload = try await followUp.payload.read()
            records = payload.readable
            if let loss = payload.loss {
                if try await closeIfFinal(receipt) { return }
                outcomes = outcomes.map { $0.withoutRecords(loss) }
            }
        }
        var progress = ChunkProgress(count: receipt.count)
        var retries: [Int] = []
        var ends: [Letter] = []
        // Halves cost no attempt: they come to an end by themselves.
        let isLastAttempt = !inHalves && receipt.attempt >= context.settings.attemptsMax
        for (position, outcome) in zip(receipt.positions, outcomes) {
            switch outcome {
            case .completed:
                progress.raise(position, to: .completed)
                ends.append(.completed)
            case .refused(let reason):
                bury(position, reason, receipt, records, &progress)
                ends.append(.failed)
            case .retry(let reason) where isLastAttempt || (inHalves && receipt.positions.count == 1):
                bury(position, "gave up after \(receipt.attempt) attempts: \(reason)", receipt, records, &progress)
                ends.append(.failed)
            case .retry:
                retries.append(position)
                progress.raise(position, to: .accepted)
                ends.append(.accepted)
            }
        }
        if let records, !retries.isEmpty {
            guard try await deliverAgain(retries, records, followUp, inHalves: inHalves, &progress) else { return }
        }
        try await conclude(progress, receipt, ends: String(decoding: ends.map(\.rawValue), as: UTF8.self))
    }

    /// The new receipts stand before the old one is closed: at every moment something covers the records.
    ///
    /// False if the old one is closed already.
    private func deliverAgain(
        _ positions: [Int],
        _ records: ChunkRecords,
        _ followUp: FollowUp,
        inHalves: Bool,
        _ progress: inout ChunkProgress
    ) async throws -> Bool {
        let receipt = followUp.receipt
        // Polls may take long and overlap: whoever closed it meanwhile has delivered its records again.
        guard try await context.receipts.get(receipt.key)?.isOpen == true else { return false }
        let delivery = ChunkDelivery(
            context: context,
            cache: cache,
            job: followUp.job,
            sink: followUp.sink,
            throttle: sinks.throttle(for: followUp.job),
            message: ChunkMessage(receipt),
            chunk: receipt.chunk
        )
        let middle = inHalves ? positions.count / 2 : 0
        let parts = [positions[..<middle], positions[middle...]].filter { !$0.isEmpty }
        for part in parts {
            let attempt = inHalves ? receipt.attempt : receipt.attempt + 1
            do {
                try await delivery.run(Array(part), records: records, attempt: attempt, into: &progress)
            } catch is DeliveryDropped {
                // The job was cancelled: what was accepted stays so in its final sheet.
                return true
            }
        }
        return true
    }

    func endWithoutRecords(_ receipt: ReceiptItem, _ reason: String) async throws {
        if try await closeIfFinal(receipt) { return }
        try await giveUp(receipt, nil, reason)
    }

    /// Whether nothing is left to say of the receipt's records; then it is closed.
    ///
    /// A payload is removed when every letter of its chunk is final: a second receipt of the same records then has
    /// nothing left to say, least of all a dead letter without the record over one that has it.
    private func closeIfFinal(_ receipt: ReceiptItem) async throws -> Bool {
        let letters = try await context.chunks.get(ChunkItem.key(receipt.chunk)).flatMap { Letters($0.letters) }
        guard let letters, receipt.positions.allSatisfy({ $0 < letters.count && letters[$0].isFinal }) else {
            return false
        }
        let ends = receipt.positions.map { letters[$0].rawValue }
        try await close(receipt, ends: String(decoding: ends, as: UTF8.self))
        return true
    }

    private func giveUp(_ receipt: ReceiptItem, _ records: ChunkRecords?, _ reason: String) async throws {
        var progress = ChunkProgress(count: receipt.count)
        for position in receipt.positions { bury(position, reason, receipt, records, &progress) }
        try await conclude(progress, receipt, ends: String(repeating: "f", count: receipt.positions.count))
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

    /// Stores what was found out, says it, and closes the receipt.
    private func conclude(_ progress: ChunkProgress, _ receipt: ReceiptItem, ends: String) async throws(PortError) {
        try await DeadLetterKeeper(context: context).keep(progress, of: receipt.chunk)
        let event = ProgressEvent(
            job: receipt.jobKey,
            chunk: receipt.chunk,
            letters: progress.letters,
            chunksOfPage: receipt.chunksOfPage
        )
        let receipts = try progress.receipts.map { receipt throws(PortError) in
            try Table<ReceiptItem>.putting(receipt, if: .itemAbsent)
        }
        let sends = [AtomicBatch.Send(queue: context.backend.queues.progress.name, messages: [try event.outgoing()])]
        try await context.conclude(
            AtomicBatch(actions: receipts, sends: sends),
            closing: [Self.closing(receipt, ends: ends)]
        )
    }

    func close(_ receipt: ReceiptItem, ends: String?) async throws(PortError) {
        try await context.backend.tables.transact([Self.closing(receipt, ends: ends)])
    }

    private static func closing(_ receipt: ReceiptItem, ends: String?) -> TableAction {
        var changes = [ReceiptItem.openAttribute.remove, ReceiptItem.pollAtAttribute.remove]
        if let ends { changes.append(ReceiptItem.endsAttribute.set(ends)) }
        return Table<ReceiptItem>.updating(receipt.key, changes, if: .itemExists)
    }
}

extension RecordOutcome {
    /// What is left of the outcome when the records are lost.
    fileprivate func withoutRecords(_ loss: String) -> RecordOutcome {
        switch self {
        case .completed: self
        case .refused(let reason), .retry(let reason): .refused(reason: "\(loss): \(reason)")
        }
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
