// Keeps the pages this process has cut last at hand, for they are mostly delivered here within a second.
import OrderedCollections
import SluiceCore
import Synchronization

/// Chunks of pages whose payload has just been stored.
///
/// What is remembered is also stored: a crash loses nothing, and other processes read what they need from the store.
final class RecentPayloads: Sendable {
    private struct Page {
        let chunks: [ChunkRecords?]
        let bytes: Int
    }

    private struct Memory {
        var pages: OrderedDictionary<String, Page> = [:]
        var bytes = 0

        mutating func forget(_ key: String) {
            if let page = pages.removeValue(forKey: key) { bytes -= page.bytes }
        }
    }

    private let bytesMax: Int
    private let memory = Mutex(Memory())

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Remembers a page that is stored; the oldest ones leave when there is no room.
    func keep(_ cut: PageCut, at key: String) {
        let page = Page(chunks: cut.records, bytes: cut.payload.count)
        // A page of the usual size is well below; one of giant records would only drive the others out.
        guard page.bytes <= bytesMax / 2 else { return }
        memory.withLock { memory in
            memory.forget(key)
            memory.pages[key] = page
            memory.bytes += page.bytes
            while memory.bytes > bytesMax, let oldest = memory.pages.keys.first { memory.forget(oldest) }
        }
    }

    /// A chunk's records, or nil if they have to be read from the store.
    func records(of chunk: ChunkID) -> ChunkRecords? {
        let key = PayloadKey.page(of: chunk)
        return memory.withLock { memory in
            guard let chunks = memory.pages[key]?.chunks, chunks.indices.contains(chunk.number) else { return nil }
            return chunks[chunk.number]
        }
    }

    func forget(_ keys: [String]) {
        memory.withLock { memory in
            for key in keys { memory.forget(key) }
        }
    }
}
