// Where records go: chunks in, an answer for each record out, at once or later.

/// The destination of one job.
///
/// Delivery may be repeated, so a sink is idempotent on the record's id, or places what it writes (`AssemblingSink`).
public protocol RecordSink: Sendable {
    /// Delivers some records of a chunk. Never throws: whatever happens is one of the answers.
    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer
}

/// A sink that accepts first and says later how each record ended.
public protocol ConfirmingSink: RecordSink {
    /// Asks how the records of a receipt have ended; asked again until they have.
    ///
    /// Never throws: whatever happens is one of the answers.
    func confirm(_ receipt: String, for request: ConfirmationRequest) async -> Confirmation
}

/// A sink that writes to places of its own and puts the booked ones together at the end.
public protocol AssemblingSink: RecordSink {
    /// Puts the spans, in the order given, together as the job's output. Repeatable: each call makes the whole output anew.
    ///
    /// Durable, and visible under its final name, on return.
    func assemble(_ spans: SpanSource) async throws(SinkError) -> AssembledOutput

    /// Removes what the job left beside its output; called when nothing more can be placed.
    func discardPlaces() async throws(SinkError)
}

/// Gives the booked spans of a job, some at a time; an empty array is the end.
public typealias SpanSource = @Sendable () async throws(SinkError) -> [BookedSpan]

/// Some records of one chunk, to be delivered.
public struct DeliveryRequest: Sendable {
    public let chunk: ChunkID
    /// Which of the chunk's records, by position, ascending.
    public let positions: [Int]
    public let records: ChunkRecords
    /// 1 for the first delivery of these records as far as this worker knows.
    public let attempt: Int

    public init(chunk: ChunkID, positions: [Int], records: ChunkRecords, attempt: Int = 1) {
        self.chunk = chunk
        self.positions = positions
        self.records = records
        self.attempt = attempt
    }
}

/// Records that were accepted, about which a sink is asked.
///
/// The records themselves are fetched only when somebody looks: most receipts end well, and need none of them.
public struct ConfirmationRequest: Sendable {
    public let chunk: ChunkID
    /// Which of the chunk's records, by position, ascending.
    public let positions: [Int]
    /// The attempt by which they were accepted.
    public let attempt: Int
    private let fetch: @Sendable () async -> ChunkRecords?

    public init(
        chunk: ChunkID,
        positions: [Int],
        attempt: Int = 1,
        records: @escaping @Sendable () async -> ChunkRecords?
    ) {
        self.chunk = chunk
        self.positions = positions
        self.attempt = attempt
        fetch = records
    }

    /// The chunk's records, the same at every call; nil if they can't be read.
    ///
    /// Who can't answer without them says `.unknown`; the engine knows why they are missing, and acts on it.
    public func records() async -> ChunkRecords? { await fetch() }
}

/// What a sink made of a delivery.
public enum DeliveryAnswer: Sendable, Equatable {
    /// How each record ended, in the order of the request's positions; `place` says where completed ones were put.
    case answered([RecordOutcome], place: SinkPlace? = nil)
    /// Taken for processing under a receipt; how each record ends will be asked for.
    case accepted(receipt: String)
    /// Refused as a whole because of some record in it: halves are tried.
    case refused(reason: String)
    /// Too much at once; nothing was taken.
    case overloaded(reason: String, after: Duration?)
    /// Nothing was taken, or it isn't known what was: try again.
    case unknown(reason: String, after: Duration?)
    /// Nothing can be delivered until somebody outside mends it: the job pauses and says so.
    case halted(reason: String)
}

/// What a sink says of a receipt.
public enum Confirmation: Sendable, Equatable {
    case open
    /// How each record ended, in the order of the request's positions.
    case ended([RecordOutcome])
    /// The whole receipt failed for a reason outside its records: deliver again.
    case failed(reason: String)
    /// Some records failed and the sink can't say which: halves are delivered again, each under a receipt of its own.
    ///
    /// Never the answer for a single record: that one has failed, or it has not.
    case undetermined(reason: String)
    /// The sink does not know the receipt.
    case forgotten
    /// Too many questions at once.
    case overloaded(reason: String, after: Duration?)
    /// Could not be asked just now.
    case unknown(reason: String, after: Duration?)
    case halted(reason: String)
}

/// Where an assembling sink put the completed records of one delivery: one line each, in the order of their positions.
public struct SinkPlace: Sendable, Hashable, Codable {
    public var segment: String
    public var offset: Int
    public var length: Int

    public init(segment: String, offset: Int, length: Int) {
        self.segment = segment
        self.offset = offset
        self.length = length
    }
}

/// A place whose booking stands: which of its lines belong to the output.
public struct BookedSpan: Sendable, Hashable {
    public var place: SinkPlace
    /// Nil for all lines, else their numbers within the place, from 0, ascending.
    public var lines: [Int]?

    public init(place: SinkPlace, lines: [Int]? = nil) {
        self.place = place
        self.lines = lines
    }
}

/// What an assembly made.
public struct AssembledOutput: Sendable, Hashable {
    public var records: Int
    public var bytes: Int

    public init(records: Int, bytes: Int) {
        self.records = records
        self.bytes = bytes
    }
}

/// Why an output could not be put together.
public enum SinkError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Worth trying again.
    case transient(String)
    /// Only somebody outside can mend it: the job pauses and says so.
    case stopped(String)

    public var description: String {
        switch self {
        case .transient(let reason), .stopped(let reason): reason
        }
    }
}
