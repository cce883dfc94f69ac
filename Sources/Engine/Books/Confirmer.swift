// Asks asynchronous sinks how accepted records have ended, books it, and closes the receipts; in that order.
import Logging
import SluiceCore

/// The transition Confirm of the books.
struct Confirmer: Sendable {
    let context: EngineContext
    let cache: JobCache
    let sinks: SinkCache

    /// How many pages of due receipts one poll goes through; what is left is due at the next.
    private static let pagesMax = 50

    /// Asks about every open receipt that is due, the longest due first; how many there were.
    ///
    /// What fails for one receipt is logged, and leaves it due; the others are asked about nevertheless.
    ///
    /// - Throws: if the receipts can't be read, or the task is cancelled.
    func poll() async throws -> Int {
        // What becomes due meanwhile is for the next poll, so that this one has an end.
        let now = context.now.description
        var cursor: TableCursor?
        var count = 0
        for _ in 0..<Self.pagesMax {
            let due = TableQuery(
                partition: ReceiptItem.openMark,
                range: .between("", now),
                index: ReceiptItem.openIndex.name,
                limit: 100,
                after: cursor
            )
            let page = try await context.receipts.readable(due)
            for problem in page.problems {
                context.logger.error("a receipt is not followed up", metadata: ["error": "\(problem)"])
            }
            try await attend(page.items, slices: try await slices(of: page.items))
            count += page.items.count
            guard let next = page.next else { break }
            cursor = next
        }
        return count
    }

    /// Slices that were read for several receipts at once; nil if one of them can't be read.
    private typealias Slices = [ItemKey: SliceItem]?

    private func slices(of receipts: [ReceiptItem]) async throws(PortError) -> Slices {
        let keys = Array(Set(receipts.map(\.sliceKey)))
        let found: [SliceItem?]
        do {
            found = try await context.slices.get(keys)
        } catch {
            // Each receipt then looks for its own: only those whose slice it is are held up.
            guard error.code == .invalidRequest else { throw error }
            return nil
        }
        var slices: [ItemKey: SliceItem] = [:]
        for case let slice? in found { slices[slice.key] = slice }
        return slices
    }

    private func attend(_ due: [ReceiptItem], slices: Slices) async throws {
        let limit = context.settings.confirmationsMax
        guard limit > 1, due.count > 1 else {
            for receipt in due { try await attend(receipt, slices) }
            return
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, receipt) in due.enumerated() {
                if number >= limit { try await group.next() }
                group.addTask { try await attend(receipt, slices) }
            }
            try await group.waitForAll()
        }
    }

    /// - Throws: only what ends the whole poll.
    private func attend(_ found: ReceiptItem, _ slices: Slices) async throws {
        do {
            guard let receipt = try await current(found), receipt.isOpen else { return }
            do {
                let slice =
                    if let slices { slices[receipt.sliceKey] } else {
                        try await context.slices.get(receipt.sliceKey)
                    }
                try await confirm(receipt, slice)
            } catch let halted as DeliveryHalted {
                try await JobControl(context).pause(receipt.chunk.job, reason: halted.reason, holdingDelivery: true)
                try await putOff(receipt, by: interval)
            }
        } catch {
            if error is CancellationError || (error as? PortError)?.code == .cancelled { throw error }
            context.logger(for: found.chunk.job).warning(
                "a receipt could not be followed up; it stays due",
                metadata: ["receipt": "\(found.receipt)", "chunk": "\(found.chunk.path)", "error": "\(error)"]
            )
        }
    }

    /// The receipt as it was stored when it was found; an index may lag behind its table, but not within one database.
    private func current(_ found: ReceiptItem) async throws(PortError) -> ReceiptItem? {
        if context.backend.atomic != nil { return found }
        return try await context.receipts.get(found.key)
    }

    private func confirm(_ receipt: ReceiptItem, _ slice: SliceItem?) async throws {
        guard let job = try await cache.get(receipt.jobKey), let sink = try sinks.sink(for: job) as? any ConfirmingSink
        else { return try await close(receipt, ends: nil) }
        guard let slice, !slice.sealed else { return try await close(receipt, ends: nil) }
        let payload = ReceiptPayload(receipt, context)
        let request = ConfirmationRequest(
            chunk: receipt.chunk,
            positions: receipt.positions,
            attempt: receipt.attempt,
            records: { await payload.readable() }
        )
        let followUp = FollowUp(receipt: receipt, job: job, sink: sink, payload: payload)
        let isLate = receipt.deadline <= context.now
        switch try await ask(sink, about: receipt.receipt, request, throttle: sinks.throttle(for: job)) {
        case .ended(let outcomes) where outcomes.count == receipt.positions.count:
            try await end(followUp, outcomes)
        case .ended(let outcomes):
            context.logger(for: job.id).error(
                "a sink answered for another number of records",
                metadata: ["receipt": "\(receipt.receipt)", "answered": "\(outcomes.count)"]
            )
            try await wait(followUp, isLate)
        case .failed(let reason):
            try await end(followUp, receipt.positions.map { _ in .retry(reason: reason) })
        case .undetermined(let reason):
            try await end(followUp, receipt.positions.map { _ in .retry(reason: reason) }, inHalves: true)
        case .forgotten where isLate:
            let reason = "the sink does not know its receipt any more"
            try await end(followUp, receipt.positions.map { _ in .retry(reason: reason) })
        case .open, .forgotten:
            try await wait(followUp, isLate)
        case .unknown(_, let after), .overloaded(_, let after):
            // The sink may have needed the records, and not have got them.
            if let loss = try payload.loss { return try await endWithoutRecords(receipt, loss) }
            try await wait(followUp, isLate, atLeast: after)
        // A job at its end can't pause any more, and nobody will resume it.
        case .halted where job.status.isFinal:
            try await wait(followUp, isLate)
        case .halted(let reason):
            throw DeliveryHalted(reason: reason)
        }
    }

    /// Asks when the destination has a place free: questions share its capacity with deliveries.
    private func ask(
        _ sink: any ConfirmingSink,
        about receipt: String,
        _ request: ConfirmationRequest,
        throttle: Throttle
    ) async throws(PortError) -> Confirmation {
        while true {
            if Task.isCancelled { throw PortError(.cancelled, "cancelled before a receipt was asked about") }
            guard let number = try await throttle.place(records: nil) else { continue }
            let answer = await sink.confirm(receipt, for: request)
            switch answer {
            case .overloaded(_, let after):
                throttle.finish(number, .overloaded, hold: after, isDelivery: false)
            case .unknown, .halted:
                throttle.finish(number, .undecided, isDelivery: false)
            case .open, .ended, .failed, .undetermined, .forgotten:
                throttle.finish(number, .succeeded, isDelivery: false)
            }
            return answer
        }
    }

    var interval: Duration { context.settings.receiptRest }

    func putOff(_ receipt: ReceiptItem, by interval: Duration) async throws(PortError) {
        let next = ReceiptItem.pollAtAttribute.set(context.now.advanced(by: interval))
        let open = ReceiptItem.openAttribute == ReceiptItem.openMark
        _ = try await context.receipts.updated(receipt.key, [next], if: open)
    }
}

extension ReceiptItem {
    fileprivate var sliceKey: ItemKey { SliceItem.key(job: chunk.job, index: chunk.slice) }
}
