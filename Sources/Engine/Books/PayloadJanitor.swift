// Removes kept payloads once every record of their page has ended.
import SluiceCore
import Synchronization

/// Counts settled chunks by page.
///
/// What a crash makes it forget, the sweep at the job's end removes.
final class PayloadJanitor: Sendable {
    private let context: EngineContext
    private let pages = Mutex<[String: Set<Int>]>([:])

    /// Pages that are partly settled; beyond this the oldest knowledge is dropped and left to the sweep.
    private static let pagesMax = 20_000

    init(_ context: EngineContext) {
        self.context = context
    }

    func settled(_ chunks: [SettledChunk]) async throws(PortError) {
        var removable: [String] = []
        pages.withLock { pages in
            for settled in chunks {
                let key = PayloadKey.page(of: settled.chunk)
                if pages[key] == nil, pages.count >= Self.pagesMax { pages.removeAll() }
                pages[key, default: []].insert(settled.chunk.number)
                if pages[key]?.count == settled.chunksOfPage {
                    pages[key] = nil
                    removable.append(key)
                }
            }
        }
        guard !removable.isEmpty else { return }
        context.recentPayloads.forget(removable)
        try await context.backend.objects.delete(removable)
    }

    /// Removes every payload of a job.
    static func removeAll(of job: JobID, _ context: EngineContext) async throws(PortError) {
        try await removeAll(under: PayloadKey.prefix(job), context)
    }

    /// Removes every object whose key begins so, page by page of the listing.
    static func removeAll(under prefix: String, _ context: EngineContext) async throws(PortError) {
        while true {
            let found = try await context.backend.objects.list(prefix: prefix, after: nil, limit: 1000)
            guard !found.isEmpty else { return }
            try await context.backend.objects.delete(found.map(\.key))
        }
    }

    /// Removes payloads of pages that are settled, or that can never be owned.
    static func sweep(_ job: JobID, _ context: EngineContext) async throws(PortError) {
        let prefix = PayloadKey.prefix(job)
        var after: String?
        while true {
            let found = try await context.backend.objects.list(prefix: prefix, after: after, limit: 1000)
            guard let last = found.last else { return }
            after = last.key
            var removable: [String] = []
            for object in found {
                guard let place = PagePlace(object.key, prefix: prefix) else { continue }
                if try await isUseless(place, job, context) { removable.append(object.key) }
            }
            if !removable.isEmpty { try await context.backend.objects.delete(removable) }
        }
    }

    private struct PagePlace {
        let slice: Int
        let page: Int
        let epoch: Int

        /// Nil for the payload of a redrive, which stays until its job is at its end.
        init?(_ key: String, prefix: String) {
            let parts = key.dropFirst(prefix.count).split(whereSeparator: { $0 == "/" || $0 == "-" }).map { Int($0) }
            guard parts.count == 3, let slice = parts[0], let page = parts[1], let epoch = parts[2] else { return nil }
            self.slice = slice
            self.page = page
            self.epoch = epoch
        }
    }

    private static func isUseless(_ place: PagePlace, _ job: JobID, _ context: EngineContext) async throws(PortError)
        -> Bool
    {
        let slice = try await context.slices.get(SliceItem.key(job: job, index: place.slice))
        // A live job has all its slices: whoever puts back one that somebody removed needs what it has read.
        guard let slice else { return false }
        let page = try await context.pages.get(PageItem.key(job: job, slice: place.slice, page: place.page))
        guard let page else { return slice.page <= place.page && slice.epoch > place.epoch }
        guard page.epoch == place.epoch else { return true }
        let keys = page.sizes.indices.map { number in
            ChunkItem.key(ChunkID(job: job, slice: place.slice, page: place.page, epoch: place.epoch, number: number))
        }
        return try await context.chunks.get(keys).allSatisfy { item in
            item.flatMap { Letters($0.letters) }?.values.allSatisfy(\.isFinal) ?? false
        }
    }
}
