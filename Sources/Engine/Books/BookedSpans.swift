// The places whose booking stands, in the order of the source, for as long as the output is this process's to write.
import SluiceCore

/// Walks a job's chunk items in the order of the source and gives the places whose booking stands.
actor BookedSpans {
    private let context: EngineContext
    private let claim: FinishClaim
    private var query: TableQuery
    private var isDone = false

    init(_ claim: FinishClaim) {
        self.claim = claim
        context = claim.context
        query = TableQuery(partition: claim.job.id.text, range: .prefix("chunk#"), limit: 500)
    }

    /// The next places, none at the end.
    ///
    /// - Throws: `SinkError.transient` once another process has the job's end.
    func next() async throws(SinkError) -> [BookedSpan] {
        while !isDone {
            let spans: [BookedSpan]
            let isHeld: Bool
            do {
                isHeld = try await context.retrying { () throws(PortError) in try await claim.renew() }
                let query = query
                let page = try await context.retrying { () throws(PortError) in try await context.chunks.query(query) }
                self.query.after = page.next
                isDone = page.next == nil
                spans = page.items.flatMap { item in item.places.map { BookedSpan(place: $0.place, lines: $0.lines) } }
            } catch {
                throw .transient("the books can't be read: \(error)")
            }
            guard isHeld else { throw .transient("another process is putting the output together") }
            if !spans.isEmpty { return spans }
        }
        return []
    }
}
