// The transitions of the books: events are booked, receipts confirmed, ends found, payloads let go.
import SluiceCore

/// A chunk whose records have all ended, as far as its letters say.
struct SettledChunk: Sendable, Hashable {
    let chunk: ChunkID
    let chunksOfPage: Int
}
