// Where records come from: pages of raw records, slice by slice.

/// The source of one job.
///
/// Its slices are disjoint, and together they are everything.
public protocol RecordSource: Sendable {
    /// What the source is at this moment; called once, before the job is created, and again by every launch.
    func describe() async throws(SourceError) -> SourceDescription

    /// Fetches one page of a slice into a buffer that is reused; what was in it is replaced.
    ///
    /// Called with the continuation of the page before, or nil for a slice's first page. A page may hold no record
    /// although more follow: only `page.next == nil` ends a slice, and only on the source's positive word.
    func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError)

    /// Where records of one page stand, for a person: such as `line 17, byte 4711 of docs.jsonl`.
    ///
    /// Called with positions in ascending order, and answers with a place for each, or nil where a record has none beside
    /// its id. May be slow.
    func locate(_ positions: [Int64]) async -> [String?]
}

/// What a source says of itself.
public struct SourceDescription: Sendable, Hashable {
    /// What continuations depend on beside slice, selection and fields: another value makes every checkpoint worthless.
    public var fingerprint: String
    /// How many bytes there are to read, if known.
    public var bytes: Int64?
    /// How many records there are to read, if known.
    public var records: Int64?

    public init(fingerprint: String, bytes: Int64? = nil, records: Int64? = nil) {
        self.fingerprint = fingerprint
        self.bytes = bytes
        self.records = records
    }
}

/// Which page is wanted.
public struct PageRequest: Sendable, Hashable {
    /// 0 to `slices - 1`.
    public var slice: Int
    public var slices: Int
    public var continuation: Continuation?
    /// How many records are wanted; a source may bring fewer, or a few more.
    public var recordsWanted: Int
    /// A page that reaches this many bytes ends there, unless it would be empty.
    public var bytesWanted: Int
    /// A record over this many bytes is brought as refused, without all of its bytes.
    public var recordBytesMax: Int

    public init(
        slice: Int,
        slices: Int,
        continuation: Continuation?,
        recordsWanted: Int = 500,
        bytesWanted: Int = 4 << 20,
        recordBytesMax: Int = 32 << 20
    ) {
        self.slice = slice
        self.slices = slices
        self.continuation = continuation
        self.recordsWanted = recordsWanted
        self.bytesWanted = bytesWanted
        self.recordBytesMax = recordBytesMax
    }
}

/// One page of raw records, in a buffer that is filled again for the next one.
public struct SourcePage: Sendable {
    /// One record: where its bytes lie in `bytes`, and where it stands in the source.
    public struct RawRecord: Sendable, Hashable {
        public var range: Range<Int>
        /// For `RecordSource.locate`.
        public var position: Int64
        /// Why the source itself refuses it, such as its size; its bytes may then be cut short.
        public var refusal: String?

        public init(range: Range<Int>, position: Int64, refusal: String? = nil) {
            self.range = range
            self.position = position
            self.refusal = refusal
        }
    }

    /// The raw bytes of all records, with at least `padding` bytes after the last record's.
    public var bytes: [UInt8]
    public var records: [RawRecord]
    /// Nil on the last page of the slice, and only there.
    public var next: Continuation?
    /// How many bytes of the source the slice has read up to here, if the source knows.
    public var bytesRead: Int64?
    /// Which share of the slice has been read up to here, 0 to 1, if the source knows.
    public var fractionRead: Double?

    /// What a scanner may read past a record's end without looking.
    public static let padding = 64

    public init() {
        bytes = []
        records = []
    }

    /// Empties the page and keeps its memory.
    public mutating func reset() {
        bytes.removeAll(keepingCapacity: true)
        records.removeAll(keepingCapacity: true)
        next = nil
        bytesRead = nil
        fractionRead = nil
    }
}

/// Why a page could not be had.
public enum SourceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Worth trying again, not before `after` if given.
    case transient(String, after: Duration? = nil)
    /// Only somebody outside can mend it (credentials, a full disk): the job pauses and says so.
    case stopped(String)
    /// What the checkpoints were written for is no longer there: the job fails and says so.
    case changed(String)

    public var description: String {
        switch self {
        case .transient(let reason, _), .stopped(let reason), .changed(let reason): reason
        }
    }
}
