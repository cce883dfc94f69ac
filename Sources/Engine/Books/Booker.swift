// Books progress events: letters rise, counters move by the difference, in one transaction.
import SluiceCore

/// The transition Book of the books.
struct Booker: Sendable {
    let context: EngineContext

    /// Chunks in one transaction: one action is the slice's.
    static let chunksMax = TableLimits.actionsPerTransaction - 1

    /// Books events of one slice; returns when all of them are in the books, or nothing is left to change.
    ///
    /// Booking the same events again changes nothing. On an error some may be booked.
    func book(_ events: [ProgressEvent], job: JobID, slice: Int) async throws(PortError) -> Booked {
        var booked = Booked()
        var rest = events[...]
        while !rest.isEmpty {
            var seen: Set<String> = []
            let end =
                rest.firstIndex { event in
                    !seen.contains(event.path) && seen.count == Self.chunksMax
                        || {
                            seen.insert(event.path); return false
                        }()
                } ?? rest.endIndex
            let some = try await bookSome(Array(rest[..<end]), job: job, slice: slice)
            booked.settled += some.settled
            booked.landed += some.landed
            rest = rest[end...]
        }
        return booked
    }

    private struct Entry {
        var old: ChunkItem?
        var letters: Letters
        var places: [ChunkItem.BookedPlace]
        var chunksOfPage: Int
    }

    private func bookSome(_ events: [ProgressEvent], job: JobID, slice: Int) async throws(PortError) -> Booked {
        let sliceKey = SliceItem.key(job: job, index: slice)
        var attempt = 1
        while true {
            guard let item = try await context.slices.get(sliceKey), !item.sealed else { return Booked() }
            let entries = try await merge(events)
            var difference = LetterCounts()
            var actions: [TableAction] = []
            for (chunk, entry) in entries {
                let old = entry.old.flatMap { Letters($0.letters) } ?? Letters(count: entry.letters.count)
                guard entry.letters != old else { continue }
                difference += entry.letters.tally() - old.tally()
                let unchanged = entry.old.map { ChunkItem.lettersAttribute == $0.letters } ?? .itemAbsent
                let new = ChunkItem(chunk: chunk, letters: entry.letters.text, places: entry.places)
                actions.append(try Table<ChunkItem>.putting(new, if: unchanged))
            }
            let settled = entries.filter { $0.value.letters.values.allSatisfy(\.isFinal) }
                .map { SettledChunk(chunk: $0.key, chunksOfPage: $0.value.chunksOfPage) }
            guard !actions.isEmpty else { return Booked(settled: settled) }
            try check(difference, against: item)
            let moves = SliceItem.moving(difference)
            actions.append(Table<SliceItem>.updating(sliceKey, moves, if: SliceItem.sealed == false))
            let all = actions
            do {
                try await context.backend.tables.transact(all)
                return Booked(settled: settled, landed: -difference.inFlight)
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

    /// Joins the events of each chunk with what is stored; the events of one chunk become one action.
    private func merge(_ events: [ProgressEvent]) async throws(PortError) -> [ChunkID: Entry] {
        var entries: [ChunkID: Entry] = [:]
        var parsed: [(event: ProgressEvent, chunk: ChunkID, letters: Letters)] = []
        for event in events {
            let (chunk, letters) = try event.parsed
            parsed.append((event, chunk, letters))
        }
        let chunks = Array(Set(parsed.map(\.chunk)))
        let stored = try await context.chunks.get(chunks.map { ChunkItem.key($0) })
        let items = Dictionary(uniqueKeysWithValues: zip(chunks, stored))
        for (event, chunk, letters) in parsed {
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
        guard slice.inFlight + difference.inFlight >= 0, slice.balance.isBalanced else {
            throw PortError(
                .invalidRequest,
                "the books of slice \(slice.index) of \(slice.job) would not balance: \(slice.balance) and \(difference)"
            )
        }
    }
}
