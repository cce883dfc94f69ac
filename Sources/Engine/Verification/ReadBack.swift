// A destination that is read from end to end, such as a file: compared by digests, record against record.
import SluiceCore

/// Compares a job's source with an output that can be read like a source.
///
/// An output holds the very bytes that were sent, so that equal digests mean equal records. Memory holds two words for each
/// record of the source that the output has not shown yet.
struct ReadBack: Sendable {
    let context: EngineContext
    let job: Job
    let output: any RecordSource

    /// The records of the source by id, until the output shows them; those under an id that came before are apart.
    private struct Wanted {
        var first: [RecordDigest: RecordDigest] = [:]
        var further: [RecordDigest: [RecordDigest]] = [:]
        var ids: Set<RecordDigest> = []

        mutating func insert(_ entry: DigestItem.Entry) {
            if ids.insert(entry.id).inserted {
                first[entry.id] = entry.record
            } else {
                further[entry.id, default: []].append(entry.record)
            }
        }

        /// Whether exactly this record was still wanted.
        mutating func take(_ entry: DigestItem.Entry) -> Bool {
            if first[entry.id] == entry.record {
                first[entry.id] = nil
                return true
            }
            guard let place = further[entry.id]?.firstIndex(of: entry.record) else { return false }
            further[entry.id]?.remove(at: place)
            return true
        }

        var remaining: [RecordDigest: Int] {
            var counts = first.mapValues { _ in 1 }
            for (id, records) in further where !records.isEmpty { counts[id, default: 0] += records.count }
            return counts
        }
    }

    func compare(_ scan: SourceScan) async throws -> VerificationReport {
        var report = VerificationReport()
        var wanted = Wanted()
        try await scan.forEachPage { page in
            for entry in page.batch.digests { wanted.insert(entry) }
            report.compared += page.batch.count + page.skipped + page.refused.count
            report.expectedMissingSkipped += page.skipped
            report.expectedMissingDead += page.refused.count
        }
        let others = try await readOutput(&wanted, &report)
        let missing = try await settle(wanted, others, &report)
        if !missing.isEmpty { try await name(missing, scan, &report) }
        return report
    }

    /// Records of the output that are not as the source has them, by id.
    private func readOutput(
        _ wanted: inout Wanted,
        _ report: inout VerificationReport
    ) async throws -> [RecordDigest: [String]] {
        let scanner = RecordScanner(RecordSelection(idField: job.idField))
        var others: [RecordDigest: [String]] = [:]
        var raw = SourcePage()
        var batch = RecordBatch()
        var next: Continuation?
        report.extra = 0
        repeat {
            let request = PageRequest(slice: 0, slices: 1, continuation: next, recordsWanted: 1000)
            try await output.fetch(request, into: &raw)
            batch.removeAll(keepingCapacity: true)
            for record in raw.records {
                do {
                    try raw.bytes.withUnsafeBytes { bytes in
                        _ = try scanner.scan(bytes.bytes, range: record.range, into: &batch)
                    }
                } catch {
                    report.extra = (report.extra ?? 0) + 1
                    let place = await output.locate([record.position])[0] ?? "a record"
                    report.name(place, .extra, "can't be read: \(error)")
                }
            }
            for (index, entry) in batch.digests.enumerated() {
                if wanted.take(entry) {
                    report.matching += 1
                } else if wanted.ids.contains(entry.id) {
                    others[entry.id, default: []].append(batch.id(at: index))
                } else {
                    report.extra = (report.extra ?? 0) + 1
                    report.name(batch.id(at: index), .extra, "is not in the source")
                }
            }
            next = raw.next
        } while next != nil
        return others
    }

    /// What is left on both sides under one id differs; what is left on one side is missing, or too much.
    ///
    /// - Returns: the ids of what is missing.
    private func settle(
        _ wanted: Wanted,
        _ others: [RecordDigest: [String]],
        _ report: inout VerificationReport
    ) async throws -> Set<RecordDigest> {
        var missing: Set<RecordDigest> = []
        let dead = try await EmittedRecords(context: context, job: job.id).deadIDs()
        let remaining = wanted.remaining
        for (id, count) in remaining {
            let found = min(count, others[id]?.count ?? 0)
            if found > 0, let name = others[id]?.first {
                report.name(name, .different, "is another record in the output")
            }
            report.different += found
            guard count > found else { continue }
            if dead.contains(id) {
                report.expectedMissingDead += count - found
            } else {
                report.missing += count - found
                missing.insert(id)
            }
        }
        for (id, names) in others where names.count > remaining[id] ?? 0 {
            let surplus = names.count - (remaining[id] ?? 0)
            report.extra = (report.extra ?? 0) + surplus
            report.name(names[0], .extra, "stands in the output \(surplus) times too often")
        }
        let emitted = try await EmittedRecords(context: context, job: job.id).digests(of: Set(remaining.keys))
        report.changedSince = remaining.keys.count { id in
            guard let now = wanted.first[id], let sent = emitted[id] else { return false }
            return !sent.contains(now)
        }
        return missing
    }

    /// The names of missing records are not kept; only for the few that are shown the source is read again.
    private func name(
        _ missing: Set<RecordDigest>,
        _ scan: SourceScan,
        _ report: inout VerificationReport
    ) async throws {
        try await scan.forEachPage { page in
            for (index, entry) in page.batch.digests.enumerated() where missing.contains(entry.id) {
                report.name(page.batch.id(at: index), .missing, "is not in the output")
            }
        }
    }
}
