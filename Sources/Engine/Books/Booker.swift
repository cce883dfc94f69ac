// Books progress events: letters rise, counters move by the difference, in one transaction.
import SluiceCore

/// The transition Book of the books.
struct Booker: Sendable {
    let context: EngineContext

    /// Books events of one job and deletes their messages; returns when both are done, or nothing is left to change.
    ///
    /// The slices that the events belong to are written together, so whoever has rivals passes events of one slice only.
    /// Booking the same events again changes nothing. On an error some may be booked, and no message is deleted.
    func book(_ events: [ProgressEvent], deleting receipts: [MessageReceipt]) async throws(PortError) -> Booked {
        var booked = Booked()
        var rest: [Parsed] = []
        for event in events {
            let (chunk, letters) = try event.parsed
            rest.append(Parsed(event: event, chunk: chunk, letters: letters))
        }
        while !rest.isEmpty {
            let count = Self.fittingOneTransaction(rest)
            let isLast = count == rest.count
            let some = try await bookSome(Array(rest[..<count]), deleting: isLast ? receipts : [])
            booked.settled += some.settled
            booked.landed += some.landed
            booked.hasDeleted = some.hasDeleted
            rest.removeFirst(count)
        }
        if !booked.hasDeleted { try await context.backend.queues.progress.delete(receipts) }
        return booked
    }

    private struct Parsed {
        let event: ProgressEvent
        let chunk: ChunkID
        let letters: Letters
    }

    private struct Entry {
        var old: ChunkItem?
        var letters: Letters
        var places: [ChunkItem.BookedPlace]
        var chunksOfPage: Int
    }

    /// How many of the events, from the first on, need no more actions than a transaction has.
    private static func fittingOneTransaction(_ events: [Parsed]) -> Int {
        var chunks: Set<ChunkID> = []
        var slices: Set<Int> = []
        for (index, event) in events.enumerated() {
            chunks.insert(event.chunk)
            slices.insert(event.chunk.slice)
            if chunks.count + slices.count > TableLimits.actionsPerTransaction { return index }
        }
        return events.count
    }

    private func bookSome(_ events: [Parsed], deleting receipts: [MessageReceipt]) async throws(PortError) -> Booked {
        var attempt = 1
        while true {
            let slices = try await unsealedSlices(of: events)
            let entries = try await merge(events.filter { slices[$0.chunk.slice] != nil })
            var differences: [Int: LetterCounts] = [:]
            var actions: [TableAction] = []
            for (chunk, entry) in entries {
                let old = entry.old.flatMap { Letters($0.letters) } ?? Letters(count: entry.letters.count)
                guard entry.letters != old else { continue }
                differences[chunk.slice, default: LetterCounts()] += entry.letters.tally() - old.tally()
                let unchanged = entry.old.map { ChunkItem.lettersAttribute == $0.letters } ?? .itemAbsent
                let new = ChunkItem(chunk: chunk, letters: entry.letters.text, places: entry.places)
                actions.append(try Table<ChunkItem>.putting(new, if: unchanged))
            }
            let settled = entries.filter { $0.value.letters.values.allSatisfy(\.isFinal) }
                .map { SettledChunk(chunk: $0.key, chunksOfPage: $0.value.chunksOfPage) }
            guard !actions.isEmpty else { return Booked(settled: settled) }
            for (index, difference) in differences {
                guard let slice = slices[index] else { continue }
                try check(difference, against: slice)
                let moves = SliceItem.moving(difference)
                actions.append(Table<SliceItem>.updating(slice.key, moves, if: SliceItem.sealed == false))
            }
            do {
                let hasDeleted = try await write(actions, deleting: receipts)
                let landed = differences.values.reduce(0) { $0 - $1.inFlight }
                return Booked(settled: settled, landed: landed, hasDeleted: hasDeleted)
            } catch {
                guard error.code == .conditionFailed || error.isRetryable else { throw error }
                // Read and join again: if it was applied after all, nothing is left to change.
                guard attempt < 100 else { throw error }
                if error.code != .conditionFailed {
                    try await context.pause(
                        context.settings.backoff.delay(afterAttempt: attempt, random: context.random)
                    )
                }
                attempt += 1
            }
        }
    }

    /// Writes the bookings; true if the messages were deleted with them.
    private func write(
        _ actions: [TableAction],
        deleting receipts: [MessageReceipt]
    ) async throws(PortError) -> Bool {
        guard let atomic = context.backend.atomic, !receipts.isEmpty else {
            try await context.backend.tables.transact(actions)
            return false
        }
        let delete = AtomicBatch.Delete(queue: context.backend.queues.progress.name, receipts: receipts)
        try await atomic.commit(AtomicBatch(actions: actions, deletes: [delete]))
        return true
    }

    /// The events' slices by index; a sealed one's books are closed, and what comes for it is late.
    private func unsealedSlices(of events: [Parsed]) async throws(PortError) -> [Int: SliceItem] {
        let keys = Set(events.map { SliceItem.key(job: $0.chunk.job, index: $0.chunk.slice) })
        var slices: [Int: SliceItem] = [:]
        for case let slice? in try await context.slices.get(Array(keys)) where !slice.sealed {
            slices[slice.index] = slice
        }
        return slices
    }

    /// Joins the events of each chunk with what is stored; the events of one chunk become one action.
    private func merge(_ events: [Parsed]) async throws(PortError) -> [ChunkID: Entry] {
        var entries: [ChunkID: Entry] = [:]
        let chunks = Array(Set(events.map(\.chunk)))
        let stored = try await context.chunks.get(chunks.map { ChunkItem.key($0) })
        let items = Dictionary(uniqueKeysWithValues: zip(chunks, stored))
        for parsed in events {
            let (event, chunk, letters) = (parsed.event, parsed.chunk, parsed.letters)
            var entry =
                entries[chunk]
                ?? Entry(
                    old: items[chunk] ?? nil,
                    letters: items[chunk].flatMap { $0 }.flatMap { Letters($0.letters) }
                        ?? Letters(count: letters.count),
                    places: items[chunk].flatMap { $0 }?.places ?? [],
                    chunksOfPage: event.chunksOfPage
                )
            guard entry.letters.count == letters.count else {
                throw PortError(
                    .invalidRequest,
                    "an event of chunk \(chunk) has \(letters.count) letters instead of \(entry.letters.count)"
                )
            }
            let raised = Set(entry.letters.join(letters))
            for placed in event.places ?? [] {
                // The first booking wins: only records that this event completes count as put there.
                let lines = placed.positions.indices.filter { raised.contains(placed.positions[$0]) }
                guard !lines.isEmpty else { continue }
                let chosen = lines.count == placed.positions.count ? nil : Array(lines)
                entry.places.append(ChunkItem.BookedPlace(place: placed.place, lines: chosen))
            }
            entries[chunk] = entry
        }
        return entries
    }

    /// Only owned chunks are booked, and their records were counted as in flight before: no counter can fall below zero.
    private func check(_ difference: LetterCounts, against slice: SliceItem) throws(PortError) {
        let sum = Letter.allCases.reduce(0) { $0 + difference[$1] }
        precondition(sum == 0, "a booking must move records, not make or lose them")
        // In this order: what balances is not below zero, so that the sum can't overflow.
        guard slice.balance.isBalanced, slice.inFlight + difference.inFlight >= 0 else {
            throw PortError(
                .invalidRequest,
                "the books of slice \(slice.index) of \(slice.job) would not balance: \(slice.balance) and \(difference)"
            )
        }
    }
}
