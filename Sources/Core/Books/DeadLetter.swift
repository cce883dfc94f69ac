// A record that no attempt could deliver, with its reason and its bytes.

/// What is kept of a record that was given up.
///
/// Listed only while the chunk's letter at its position is `r` or `f`.
public struct DeadLetter: TableItem, Hashable {
    public var job: JobID
    public var chunkPath: String
    public var position: Int
    /// The record's own id, if one was found; of one that no table could hold, its beginning.
    public var recordID: String?
    public var reason: String
    public var attempts: Int
    /// The record as it was to be delivered, or its beginning if it is large.
    public var payload: [UInt8]
    /// The object that holds the whole record, if it is too large for the item.
    public var payloadKey: String?
    public var diedAt: Timestamp

    /// A payload over this many bytes is kept as an object: items end at 400 KiB.
    public static let payloadBytesMax = 128 * 1024
    private static let recordIDBytesMax = 64 * 1024
    private static let reasonBytesMax = 16 * 1024

    /// Where the records of a job are kept that are too large for their items.
    public static func objectPrefix(_ job: JobID) -> String { "dead/\(job)/" }

    public init(
        chunk: ChunkID,
        position: Int,
        recordID: String?,
        reason: String,
        attempts: Int,
        payload: some Collection<UInt8>,
        now: Timestamp
    ) {
        job = chunk.job
        chunkPath = chunk.path
        self.position = position
        self.recordID = recordID.map { Self.beginning($0, bytesMax: Self.recordIDBytesMax) }
        self.reason = Self.beginning(reason, bytesMax: Self.reasonBytesMax)
        self.attempts = attempts
        self.payload = Array(payload.prefix(Self.payloadBytesMax))
        if payload.count > Self.payloadBytesMax {
            payloadKey = "\(Self.objectPrefix(chunk.job))\(chunk.path)#\(position)"
        }
        diedAt = now
    }

    /// As much of a text as fits, whole characters only.
    private static func beginning(_ text: String, bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var bytes = text.utf8.prefix(bytesMax)
        // A character that was cut is left out.
        while String(bytes) == nil { bytes = bytes.dropLast() }
        return String(Substring(bytes)) + "…"
    }

    public var chunk: ChunkID? { ChunkID(job: job, path: chunkPath) }

    public var problem: String? { position < 0 ? "position: must not be below 0, is \(position)" : nil }

    public static func key(_ chunk: ChunkID, position: Int) -> ItemKey {
        ItemKey(chunk.job.text, "dead#\(chunk.path)#\(pad(position, 3))")
    }

    public var key: ItemKey { ItemKey(job.text, "dead#\(chunkPath)#\(pad(position, 3))") }
    public static let schema = TableSchema(name: "dead_letters")

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case chunkPath = "chunk"
        case position
        case recordID = "record_id"
        case reason, attempts, payload
        case payloadKey = "payload_key"
        case diedAt = "died_at"
    }
}
