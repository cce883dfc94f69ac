// What a job has sent, as far as digests tell.
import SluiceCore

/// Reads the digests that were kept with a job's pages.
struct EmittedRecords: Sendable {
    let context: EngineContext
    let job: JobID

    func forEach(_ body: (DigestItem.Entry) -> Void) async throws(PortError) {
        var query = TableQuery(partition: job.text, range: .prefix(DigestItem.prefix), limit: 100)
        repeat {
            let found = try await context.digests.query(query)
            for item in found.items { item.entries.forEach(body) }
            query.after = found.next
        } while query.after != nil
    }

    /// The digests under which some records were sent; one that was sent twice may have several.
    func digests(of ids: Set<RecordDigest>) async throws(PortError) -> [RecordDigest: Set<RecordDigest>] {
        var found: [RecordDigest: Set<RecordDigest>] = [:]
        guard !ids.isEmpty else { return found }
        try await forEach { entry in
            if ids.contains(entry.id) { found[entry.id, default: []].insert(entry.record) }
        }
        return found
    }

    /// The ids of the job's dead letters.
    func deadIDs() async throws -> Set<RecordDigest> {
        var found: Set<RecordDigest> = []
        var cursor: TableCursor?
        repeat {
            let page = try await DeadLetters(context).list(job, after: cursor)
            for letter in page.letters { if let id = letter.recordID { found.insert(RecordDigest(id)) } }
            cursor = page.next
        } while cursor != nil
        return found
    }
}
