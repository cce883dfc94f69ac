// The documents of one schema, spread over buckets; made when they are visited, so that millions need no memory.

/// The documents that a stand-in holds of one schema.
///
/// Document 0 to `count - 1` lie in buckets of uneven sizes, some of them empty; which lies where depends on nothing but the
/// numbers given here.
package struct VespaCorpus: Sendable {
    package let namespace: String
    package let schema: String
    package let count: Int
    /// The part of a document's id behind `id:<namespace>:<schema>:`, such as `:a::b` or `n=7:x`.
    let key: @Sendable (Int) -> String
    /// Appends a document's fields as one JSON object, tensors in the short form.
    let fields: @Sendable (Int, inout [UInt8]) -> Void
    /// Where each bucket begins, and behind the last one the count.
    let bucketStarts: [Int]

    /// Documents made on demand.
    ///
    /// - Parameters:
    ///   - namespace: That of all documents.
    ///   - schema: Their type.
    ///   - count: How many there are.
    ///   - bucketSize: How many documents a bucket has in the mean, from none to twice as many.
    ///   - userID: The id that was given by whoever fed document `index`.
    ///   - fields: Appends the fields of document `index`, the same ones each time.
    package init(
        namespace: String,
        schema: String,
        count: Int,
        bucketSize: Int = 32,
        userID: @escaping @Sendable (_ index: Int) -> String = { "doc-\($0)" },
        fields: @escaping @Sendable (_ index: Int, _ bytes: inout [UInt8]) -> Void
    ) {
        self.namespace = namespace
        self.schema = schema
        self.count = count
        self.fields = fields
        key = { ":\(userID($0))" }
        bucketStarts = Self.buckets(of: count, mean: bucketSize)
    }

    /// Documents given as user ids and fields, which are JSON objects.
    package init(
        namespace: String,
        schema: String,
        documents: [(userID: String, fields: [UInt8])],
        bucketSize: Int = 4
    ) {
        self.init(
            namespace: namespace,
            schema: schema,
            count: documents.count,
            bucketSize: bucketSize,
            userID: { documents[$0].userID },
            fields: { $1 += documents[$0].fields }
        )
    }

    var bucketCount: Int { bucketStarts.count - 1 }

    func documents(of bucket: Int) -> Range<Int> {
        bucketStarts[bucket]..<bucketStarts[bucket + 1]
    }

    package func id(of index: Int) -> String {
        "id:\(namespace):\(schema):\(key(index))"
    }

    /// When a document was written, in microseconds: one a millisecond, from 2026 on.
    static func timestamp(of index: Int) -> Int64 {
        1_767_225_600_000_000 + Int64(index) * 1000
    }

    private static func buckets(of count: Int, mean: Int) -> [Int] {
        precondition(mean > 0, "a bucket has to have room")
        var starts = [0]
        var place = 0
        var state: UInt64 = 7
        // At least one bucket, and an empty one at the end, as it happens in a cluster.
        repeat {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let draw = Int(state >> 33)
            let size = draw % 8 == 0 ? 0 : draw % (2 * mean + 1)
            place = min(count, place + size)
            starts.append(place)
        } while place < count
        starts.append(place)
        return starts
    }
}
