// What a reindex would do, found out on a sample: nothing is stored and nothing is sent.
package import SluiceCore
package import SluiceEngine

/// The outcome of a dry run.
package struct DryRunReport: Sendable {
    /// A record that would not be sent, and why.
    package struct LeftOut: Sendable {
        package var id: String?
        package var reason: String
    }

    package var sampled = 0
    package var written = 0
    package var skipped = 0
    package var refused: [LeftOut] = []
    /// The first few documents as they would be sent.
    package var documents: [JSONValue] = []
    /// Bytes of all sampled documents as they would be sent.
    package var bytesWritten = 0
    /// How many records the source has; nil if that can't be told from the sample.
    package var recordsEstimated: Int?
    /// Bytes that would be sent in all.
    package var bytesEstimated: Int?
    /// At the job's rate; nil without a rate, for then the destination decides.
    package var secondsEstimated: Double?
}

/// Visits a sample of a reindex's source.
package struct DryRun: Sendable {
    private let context: EngineContext

    package init(_ context: EngineContext) {
        self.context = context
    }

    /// How many documents are shown.
    package static let documentsShown = 3

    /// Reads the first records of the source, as many as `sample`, unless it ends before.
    ///
    /// - Throws: `SourceError`, `JobError`; `PortError` when cancelled.
    package func run(_ ready: PreparedReindex, sample: Int) async throws -> DryRunReport {
        var report = DryRunReport()
        var page = SourcePage()
        var batch = RecordBatch()
        var next: Continuation?
        var bytesRead = 0
        var fraction: Double?
        repeat {
            let request = PageRequest(
                slice: 0,
                slices: ready.job.concurrency,
                continuation: next,
                recordsWanted: min(ready.job.pageSize, sample - report.sampled),
                bytesWanted: context.settings.pageBytesMax,
                recordBytesMax: context.settings.recordBytesMax
            )
            try await context.fetch(request, from: ready.source, into: &page)
            try await read(page, ready, &batch, &report)
            bytesRead += page.records.reduce(0) { $0 + $1.range.count + 1 }
            fraction = page.next == nil ? 1 : page.fractionRead
            next = page.next
        } while next != nil && report.sampled < sample
        estimate(ready, bytesRead: bytesRead, fraction: fraction, &report)
        return report
    }

    private func read(
        _ page: SourcePage,
        _ ready: PreparedReindex,
        _ batch: inout RecordBatch,
        _ report: inout DryRunReport
    ) async throws {
        batch.removeAll(keepingCapacity: true)
        var leftOut: [(position: Int64, entry: DryRunReport.LeftOut)] = []
        page.bytes.withUnsafeBytes { bytes in
            for record in page.records {
                report.sampled += 1
                let outcome =
                    record.refusal.map { TransformOutcome.refused(reason: $0, offset: 0) }
                    ?? ready.transform.transform(bytes, range: record.range, into: &batch)
                switch outcome {
                case .written: break
                case .skipped: report.skipped += 1
                case .refused(let reason, let offset, let id):
                    leftOut.append((record.position + Int64(offset), .init(id: id, reason: reason)))
                }
            }
        }
        let places = await ready.source.locate(leftOut.map(\.position))
        for (place, left) in zip(places, leftOut) {
            let reason = place.map { "\($0): \(left.entry.reason)" } ?? left.entry.reason
            report.refused.append(.init(id: left.entry.id, reason: reason))
        }
        report.written += batch.count
        report.bytesWritten += batch.bytes.count
        for index in batch.entries.indices where report.documents.count < Self.documentsShown {
            report.documents.append(try JSONValue.parse(batch.record(at: index)))
        }
    }

    private func estimate(
        _ ready: PreparedReindex,
        bytesRead: Int,
        fraction: Double?,
        _ report: inout DryRunReport
    ) {
        guard report.sampled > 0 else {
            // An empty source is known whole; a first page without records says nothing.
            if fraction == 1, ready.job.concurrency == 1 { report.recordsEstimated = 0 }
            return
        }
        let sampled = Double(report.sampled)
        let total: Double? =
            if let records = ready.description.records {
                Double(records)
            } else if let bytes = ready.description.bytes, bytesRead > 0 {
                Double(bytes) * sampled / Double(bytesRead)
            } else if let fraction, fraction > 0 {
                sampled / fraction * Double(ready.job.concurrency)
            } else {
                nil
            }
        guard let total, total < 1e15 else { return }
        let sent = total * Double(report.written) / sampled
        report.recordsEstimated = Int(total.rounded())
        report.bytesEstimated = Int((Double(report.bytesWritten) * total / sampled).rounded())
        report.secondsEstimated = ready.job.rate.map { sent / $0 }
    }
}
