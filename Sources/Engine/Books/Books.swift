// The transitions of the books: events are booked, receipts confirmed, ends found, payloads let go.
import SluiceCore

/// A chunk whose records have all ended, as far as its letters say.
struct SettledChunk: Sendable, Hashable {
    let chunk: ChunkID
    let chunksOfPage: Int
}

/// What a booking did.
struct Booked: Sendable {
    /// The chunks among those booked whose records have all ended.
    var settled: [SettledChunk] = []
    /// How many records are no longer in flight because of it.
    var landed = 0
    /// Whether the messages were deleted in the same transaction.
    var hasDeleted = false
}
