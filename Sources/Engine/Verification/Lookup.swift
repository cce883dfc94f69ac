// A destination whose records are looked up by id: compared field by field, looked at twice, and mended on request.
import SluiceCore

/// Compares a job's source with a sink that can be asked for records by id.
struct Lookup: Sendable {
    let context: EngineContext
    let job: Job
    let sink: any ReadableSink
    let options: VerificationOptions

    /// A record that was not as it should be, with the bytes it should have.
    struct Suspect: Sendable {
        var id: String
        var digest: RecordDigest
        var record: [UInt8]
        var kind: VerificationReport.Finding.Kind
        var detail: String
    }

    /// Suspects are kept in memory; what is over this is counted, and left to another run.
    private static let suspectBytesMax = 64 << 20
    /// To tell what is too much in the destination, the ids of everything that belongs there are kept: eight bytes each.
    private static let idsMax = 4_000_000

    func compare(_ scan: SourceScan) async throws -> VerificationReport {
        var report = VerificationReport()
        var suspects: [Suspect] = []
        var suspectBytes = 0
        var ids: Set<RecordDigest>? = job.reindexType == .post && sink is any ListableSink ? [] : nil
        let dead = try await EmittedRecords(context: context, job: job.id).deadIDs()
        try await scan.forEachPage { page in
            report.compared += page.batch.count + page.skipped + page.refused.count
            report.expectedMissingSkipped += page.skipped
            report.expectedMissingDead += page.refused.count
            let records = expected(page.batch)
            for record in records { ids?.insert(record.digest) }
            if (ids?.count ?? 0) > Self.idsMax { ids = nil }
            for suspect in try await findSuspects(among: records) {
                if dead.contains(suspect.digest) {
                    report.expectedMissingDead += 1
                } else if suspectBytes + suspect.record.count <= Self.suspectBytesMax {
                    suspectBytes += suspect.record.count
                    suspects.append(suspect)
                } else {
                    report.notRechecked += 1
                    report.count(suspect)
                }
            }
        }
        // However a record ends up counted, it was compared.
        let atFirst = suspects.count
        suspects = try await lookAgain(suspects)
        report.settled = atFirst - suspects.count
        if options.repairs, !suspects.isEmpty {
            report.repaired = try await Repair(context: context, job: job, sink: sink).deliver(suspects)
            suspects = try await lookAgain(suspects)
        }
        for suspect in suspects { report.count(suspect) }
        report.changedSince = try await changed(suspects)
        report.matching =
            report.compared - report.expectedMissingSkipped - report.expectedMissingDead - report.missing
            - report.different
        if let ids { try await findExtra(ids, &report) }
        return report
    }

    /// A page's records as suspects, before anybody has looked.
    private func expected(_ batch: RecordBatch) -> [Suspect] {
        let digests = batch.digests
        return batch.entries.indices.map { index in
            Suspect(
                id: batch.id(at: index),
                digest: digests[index].id,
                record: Array(batch.record(at: index)),
                kind: .missing,
                detail: ""
            )
        }
    }

    /// Those that the sink doesn't hold as they should be.
    private func findSuspects(among records: [Suspect]) async throws -> [Suspect] {
        var rest = records[...]
        return try await withThrowingTaskGroup(of: [Suspect].self) { group in
            var found: [Suspect] = []
            var underway = 0
            while !rest.isEmpty || underway > 0 {
                if !rest.isEmpty, underway < context.settings.confirmationsMax {
                    let some = Array(rest.prefix(sink.readIDsMax))
                    rest = rest.dropFirst(some.count)
                    group.addTask { try await compare(some) }
                    underway += 1
                } else {
                    found += try await group.next() ?? []
                    underway -= 1
                }
            }
            return found
        }
    }

    /// As many as one call may ask for.
    private func compare(_ records: [Suspect]) async throws -> [Suspect] {
        var found: [Suspect] = []
        for (var record, held) in zip(records, try await read(records.map(\.id))) {
            guard let held else {
                record.kind = .missing
                record.detail = "is not in the destination"
                found.append(record)
                continue
            }
            let differences = try JSONValue.parse(record.record)
                .differences(from: held, allowingMore: job.reindexType == .patch)
            guard !differences.isEmpty else { continue }
            record.kind = .different
            record.detail = differences.joined(separator: ", ")
            found.append(record)
        }
        return found
    }

    private func read(_ ids: [String]) async throws -> [JSONValue?] {
        var attempt = 1
        while true {
            do {
                return try await sink.read(ids)
            } catch {
                guard case .transient(let reason) = error else { throw error }
                guard attempt < context.settings.attemptsMax else {
                    throw SinkError.stopped("the destination failed \(attempt) times: \(reason)")
                }
                try await context.pause(context.settings.backoff.delay(afterAttempt: attempt, random: context.random))
                attempt += 1
            }
        }
    }

    /// Waits for writes that may be on their way; those that still are not as they should be.
    private func lookAgain(_ suspects: [Suspect]) async throws -> [Suspect] {
        guard !suspects.isEmpty else { return [] }
        try await context.pause(options.settle)
        return try await findSuspects(among: suspects)
    }

    /// How many of them the job has sent otherwise than the source has them now.
    private func changed(_ suspects: [Suspect]) async throws -> Int {
        let sent = try await EmittedRecords(context: context, job: job.id).digests(of: Set(suspects.map(\.digest)))
        return suspects.count { suspect in
            guard let digests = sent[suspect.digest] else { return false }
            return !digests.contains(suspect.record.withUnsafeBytes { RecordDigest($0) })
        }
    }

    private func findExtra(_ source: Set<RecordDigest>, _ report: inout VerificationReport) async throws {
        guard let sink = sink as? any ListableSink else { return }
        var ids = source
        // What the job has sent belongs there, even if the source has let go of it since.
        try await EmittedRecords(context: context, job: job.id).forEach { ids.insert($0.id) }
        var cursor: String?
        repeat {
            guard let page = try await sink.list(after: cursor, limit: 1000) else { return }
            for entry in page.entries where !ids.contains(RecordDigest(entry.id)) {
                report.extra = (report.extra ?? 0) + 1
                report.name(entry.id, .extra, "is neither in the source nor was it sent by this job")
            }
            report.extra = report.extra ?? 0
            cursor = page.next
        } while cursor != nil
    }
}

extension VerificationReport {
    fileprivate mutating func count(_ suspect: Lookup.Suspect) {
        if suspect.kind == .missing { missing += 1 } else { different += 1 }
        name(suspect.id, suspect.kind, suspect.detail)
    }
}
