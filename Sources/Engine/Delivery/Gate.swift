// Decides whether a chunk may be delivered: only chunks of pages that its epoch owns ever reach a sink.
import SluiceCore
import Synchronization

/// What the gate says of a chunk.
enum GateVerdict: Sendable, Equatable {
    /// For ever.
    case owned
    /// For ever: its records come, or came, again under the epoch that owns the page.
    case orphan
    /// The page is not committed yet; ask again later.
    case undecided
    /// The job is cancelled or its ledger sealed.
    case dropped
    /// The job holds its deliveries back.
    case held
}

/// The gate of the books.
///
/// Stale and cached reads can only make it say "undecided" too often.
final class Gate: Sendable {
    private let context: EngineContext
    private let cache: JobCache
    private let owners = Mutex<[PageID: Int]>([:])

    private struct PageID: Hashable {
        let job: JobID
        let slice: Int
        let page: Int
    }

    /// Owners never change, so they are kept; this many pages at the most.
    private static let ownersMax = 4096

    init(_ context: EngineContext, cache: JobCache) {
        self.context = context
        self.cache = cache
    }

    /// What may be done with the chunk of a message.
    func verdict(on chunk: ChunkID, of message: ChunkMessage) async throws(PortError) -> GateVerdict {
        guard let job = try await cache.get(message.jobKey) else { return .dropped }
        switch job.status {
        case .cancelled, .cancelling, .failed, .completed: return .dropped
        case .completedWithFailures:
            // A redrive, or a late duplicate; after sealing, letters may be gone and absent would look like new.
            let slice = try await context.slices.get(SliceItem.key(job: chunk.job, index: chunk.slice))
            guard let slice, !slice.sealed else { return .dropped }
        case .pausing, .paused: if job.holdsDelivery { return .held }
        case .pending, .inProgress: break
        }
        // A page and its first messages are stored in one transaction, or else they are sent before it.
        if message.isFirst == true, context.backend.atomic != nil { return .owned }
        let id = PageID(job: chunk.job, slice: chunk.slice, page: chunk.page)
        if let owner = owners.withLock({ $0[id] }) { return owner == chunk.epoch ? .owned : .orphan }
        let keys = [
            SliceItem.key(job: chunk.job, index: chunk.slice),
            PageItem.key(job: chunk.job, slice: chunk.slice, page: chunk.page),
        ]
        let items = try await context.backend.tables.get(keys, in: ledgerSchema)
        if let attributes = items[1] {
            let owner = try PageItem(attributes: attributes).epoch
            owners.withLock { owners in
                if owners.count >= Self.ownersMax { owners.removeAll(keepingCapacity: true) }
                owners[id] = owner
            }
            return owner == chunk.epoch ? .owned : .orphan
        }
        guard let attributes = items[0] else { return .dropped }
        let slice = try SliceItem(attributes: attributes)
        // A slice seen before its page was committed and under a later epoch proves that this epoch never will.
        return slice.page <= chunk.page && slice.epoch > chunk.epoch ? .orphan : .undecided
    }

    /// Counts an orphan's records as redelivered, once.
    func bookOrphan(_ chunk: ChunkID, count: Int) async throws(PortError) {
        let orphan = OrphanItem(chunk: chunk, count: count)
        let slice = SliceItem.key(job: chunk.job, index: chunk.slice)
        let booked = try await context.write([
            try Table<OrphanItem>.putting(orphan, if: .itemAbsent),
            Table<SliceItem>.updating(slice, [SliceItem.redelivered.add(count)], if: SliceItem.sealed == false),
        ])
        // Refused: booked before, or sealed; either way there is nothing left to count.
        if case .unknown(let error) = booked { throw error }
    }
}
