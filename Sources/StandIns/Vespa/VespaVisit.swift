// One visit: which buckets it goes through, and their documents as bytes.
import SluiceCore

/// The buckets of one slice from a cursor on.
struct VespaVisit {
    let corpus: VespaCorpus
    let query: VespaQuery
    /// Documents at which a page ends; nil for no end but the visit's.
    let wanted: Int?
    private let selection: VespaSelection
    private let rendering: VespaRendering

    /// The first bucket not yet visited.
    private(set) var cursor: Int
    private(set) var documents = 0
    private(set) var buckets = 0
    private var scratch: [UInt8] = []

    init(_ query: VespaQuery, of corpus: VespaCorpus, wantedMax: Int?) throws(VespaBadRequest) {
        self.corpus = corpus
        self.query = query
        wanted = wantedMax.map { min(query.wanted ?? $0, $0) } ?? query.wanted
        selection = try VespaSelection(query.selection, schema: corpus.schema)
        rendering = try VespaRendering(query, schema: corpus.schema)
        cursor = query.token?.bucket ?? 0
        // No document of ours lies in the other space.
        if query.bucketSpace != "default" { cursor = corpus.bucketCount }
        skipOthers()
    }

    var isAtEnd: Bool { cursor >= corpus.bucketCount }

    var percentFinished: Double {
        Double(min(cursor, corpus.bucketCount)) * 100 / Double(corpus.bucketCount)
    }

    /// What the visit goes on with.
    var token: VespaToken { VespaToken(bucket: cursor) }

    /// Writes the documents of the next bucket, `between` two and around each what the answer's form wants.
    mutating func visitBucket(
        into bytes: inout [UInt8],
        opening: (_ isFirst: Bool, _ id: String, inout [UInt8]) -> Void,
        closing: (inout [UInt8]) -> Void
    ) {
        for index in corpus.documents(of: cursor) where isVisited(index) {
            opening(documents == 0, corpus.id(of: index), &bytes)
            scratch.removeAll(keepingCapacity: true)
            corpus.fields(index, &scratch)
            rendering.write(scratch, into: &bytes)
            closing(&bytes)
            documents += 1
        }
        cursor += 1
        buckets += 1
        skipOthers()
    }

    private func isVisited(_ index: Int) -> Bool {
        let timestamp = VespaCorpus.timestamp(of: index)
        guard timestamp >= query.fromTimestamp, timestamp < query.toTimestamp else { return false }
        if case .all = selection { return true }
        return selection.accepts(index, of: corpus) {
            var fields: [UInt8] = []
            corpus.fields(index, &fields)
            return VespaRendering.parsed(fields)
        }
    }

    /// Moves the cursor to the next bucket of the slice.
    private mutating func skipOthers() {
        guard selection.isSliced, query.slices > 1 else { return }
        let ahead = (query.sliceID - cursor) % query.slices
        cursor += ahead < 0 ? ahead + query.slices : ahead
        cursor = min(cursor, corpus.bucketCount)
    }
}

extension [UInt8] {
    /// Appends a text as a JSON string.
    mutating func append(json text: String) {
        JSONValue.string(text).write(into: &self)
    }
}
