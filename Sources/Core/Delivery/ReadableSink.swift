// Sinks that can be asked what they hold, so that a move can be verified.

/// A sink whose records can be read back by id.
public protocol ReadableSink: RecordSink {
    /// How many ids one call may ask for.
    var readIDsMax: Int { get }

    /// The records under the given ids, in their order; nil where the sink has none.
    ///
    /// A sink that processes asynchronously answers with what it has processed: what was accepted a moment ago may still be
    /// missing, or be there as it was before. At most `readIDsMax` ids.
    func read(_ ids: [String]) async throws(SinkError) -> [JSONValue?]
}

/// A readable sink that may know how to list all it holds.
public protocol ListableSink: ReadableSink {
    /// One page of what the sink holds, ordered by id, or nil if its server can't list.
    ///
    /// Records that come or go meanwhile may be in it or not; every other record is in exactly one page. The cursor is nil for
    /// the first page, then what the page before named. The sink may give fewer records than the limit.
    func list(after cursor: String?, limit: Int) async throws(SinkError) -> SinkListing?
}

/// Some of the records that a sink holds.
public struct SinkListing: Sendable {
    /// One record that the sink holds.
    public struct Entry: Sendable {
        public var id: String
        public var record: JSONValue

        public init(id: String, record: JSONValue) {
            self.id = id
            self.record = record
        }
    }

    public var entries: [Entry]
    /// Nil if this page is the last.
    public var next: String?

    public init(entries: [Entry], next: String?) {
        self.entries = entries
        self.next = next
    }
}
