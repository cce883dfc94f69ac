// The source of a job, read once more from its beginning, as the job's transform makes it.
import SluiceCore

/// Walks over everything a job would send now.
struct SourceScan: Sendable {
    /// What one page came to.
    struct Page {
        var batch: RecordBatch
        var skipped: Int
        /// The ids of refused records, as far as they are known.
        var refused: [String?]
    }

    private let context: EngineContext
    private let job: Job
    private let progress: @Sendable (Int) -> Void

    init(_ context: EngineContext, _ job: Job, progress: @escaping @Sendable (Int) -> Void) {
        self.context = context
        self.job = job
        self.progress = progress
    }

    /// Hands every page to `body`, slice by slice.
    ///
    /// - Throws: `SourceError.changed` if the source is another one now; what `body` throws.
    func forEachPage(_ body: (inout Page) async throws -> Void) async throws {
        let source = try context.parts.source(for: job)
        let transform = try context.parts.transform(for: job)
        let attempts = context.settings.attemptsMax
        let description = try await context.describe(source, attempts: attempts, patience: .seconds(600))
        guard description.fingerprint == job.sourceFingerprint else {
            throw SourceError.changed(
                "\(job.source) is not what job \(job.id) has read; there is nothing to compare with"
            )
        }
        var raw = SourcePage()
        var page = Page(batch: RecordBatch(), skipped: 0, refused: [])
        var seen = 0
        for slice in 0..<job.concurrency {
            var next: Continuation?
            repeat {
                try await fetch(slice, next, from: source, into: &raw)
                read(raw, transform, into: &page)
                seen += raw.records.count
                try await body(&page)
                progress(seen)
                next = raw.next
            } while next != nil
        }
    }

    private func fetch(
        _ slice: Int,
        _ continuation: Continuation?,
        from source: any RecordSource,
        into page: inout SourcePage
    ) async throws {
        let request = PageRequest(
            slice: slice,
            slices: job.concurrency,
            continuation: continuation,
            recordsWanted: job.pageSize,
            bytesWanted: context.settings.pageBytesMax,
            recordBytesMax: context.settings.recordBytesMax
        )
        try await context.fetch(request, from: source, into: &page)
    }

    private func read(_ raw: SourcePage, _ transform: any RecordTransform, into page: inout Page) {
        page.batch.removeAll(keepingCapacity: true)
        page.skipped = 0
        page.refused = []
        raw.bytes.withUnsafeBytes { bytes in
            for record in raw.records {
                guard record.refusal == nil else {
                    page.refused.append(nil)
                    continue
                }
                switch transform.transform(bytes, range: record.range, into: &page.batch) {
                case .written: break
                case .skipped: page.skipped += 1
                case .refused(_, _, let id): page.refused.append(id)
                }
            }
        }
    }
}
