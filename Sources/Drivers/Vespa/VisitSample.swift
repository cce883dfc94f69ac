// A look at the first documents, for who wants to know what a job would meet.
package import SluiceCore

/// The first documents of a visit, and how many there may be in all.
package struct VisitSample: Sendable {
    /// The raw bytes of at most as many documents as were asked for.
    package var documents: [[UInt8]] = []
    /// How many documents the server has given, those not kept included.
    package var documentsSeen = 0
    package var bytesSeen = 0
    /// How much of the visit that was, 0 to 100, if the server says so.
    package var percentFinished: Double?
    /// Whether there are no more than were seen.
    package var isComplete = false

    /// How many documents the whole visit would give, as far as the share of visited buckets tells.
    ///
    /// Exact when the sample is complete; rough else, since buckets differ; nil if the server does not say how far it is.
    package var documentsEstimated: Int? {
        if isComplete { return documentsSeen }
        guard let percentFinished, percentFinished > 0, documentsSeen > 0 else { return nil }
        let estimate = Double(documentsSeen) * 100 / percentFinished
        return estimate < 1e15 ? max(documentsSeen, Int(estimate.rounded())) : nil
    }
}

extension VespaSource {
    /// Fetches the first documents, from all slices' buckets in the order in which the server visits them.
    ///
    /// Nothing is retried.
    package func sample(count: Int) async throws(SourceError) -> VisitSample {
        var sample = VisitSample()
        var page = SourcePage()
        var next: Continuation?
        while sample.documents.count < count, !sample.isComplete {
            let wanted = count - sample.documents.count
            let request = PageRequest(slice: 0, slices: 1, continuation: next, recordsWanted: wanted)
            try await fetch(request, into: &page)
            guard page.next == nil || page.next != next else {
                throw .transient("the visit makes no progress: it answers with the continuation it was asked for")
            }
            sample.add(page, keeping: wanted)
            sample.percentFinished = percentFinished(slice: 0)
            next = page.next
        }
        return sample
    }
}

extension VisitSample {
    fileprivate mutating func add(_ page: SourcePage, keeping wanted: Int) {
        documentsSeen += page.records.count
        bytesSeen += page.records.reduce(0) { $0 + $1.range.count }
        for record in page.records.prefix(wanted) { documents.append(Array(page.bytes[record.range])) }
        isComplete = page.next == nil
    }
}
