// A sink's receipt as it is kept: open until the sink has said how each of its records ended.

/// What an asynchronous sink gave for some records of a chunk; the source system's EcomJobs Table.
public struct ReceiptItem: TableItem, Hashable {
    public var chunk: ChunkID
    /// The sink's own id for the accepted work.
    public var receipt: String
    public var account: String
    public var indexName: String
    public var count: Int
    public var positions: [Int]
    /// Where the chunk's records are kept; a nil key is the chunk's own page payload.
    public var payloadKey: String?
    public var payloadOffset: Int
    public var payloadLength: Int
    public var chunksOfPage: Int
    public var attempt: Int
    /// When it is polled next; only open receipts have it, and so only they are in the index.
    public var pollAt: Timestamp?
    /// `open` while it is; absent afterwards.
    public var open: String?
    /// At close, the letter of each position.
    public var ends: String?
    public var acceptedAt: Timestamp
    /// After this the records count as unconfirmed.
    public var deadline: Timestamp
    /// Second since 1970 at which the item may vanish: 30 days after it was accepted.
    public var expiresAt: Int64

    public static let openMark = "open"

    public init(
        chunk: ChunkID,
        receipt: String,
        job: JobKey,
        count: Int,
        positions: [Int],
        payloadKey: String?,
        payloadOffset: Int,
        payloadLength: Int,
        chunksOfPage: Int,
        attempt: Int,
        now: Timestamp,
        pollAt: Timestamp,
        deadline: Timestamp
    ) {
        self.chunk = chunk
        self.receipt = receipt
        account = job.systemAccountID
        indexName = job.indexName
        self.count = count
        self.positions = positions
        self.payloadKey = payloadKey
        self.payloadOffset = payloadOffset
        self.payloadLength = payloadLength
        self.chunksOfPage = chunksOfPage
        self.attempt = attempt
        self.pollAt = pollAt
        open = Self.openMark
        acceptedAt = now
        self.deadline = deadline
        expiresAt = now.seconds + 30 * 86_400
    }

    public var problem: String? {
        guard (0..<1 << 40).contains(payloadOffset), (0..<1 << 40).contains(payloadLength) else {
            return "payload_offset, payload_length: no place in a payload"
        }
        return nil
    }

    public var isOpen: Bool { open != nil }
    public var jobKey: JobKey { JobKey(systemAccountID: account, indexName: indexName, id: chunk.job) }

    public static func prefix(_ chunk: ChunkID) -> String { "receipt#\(chunk.path)#" }
    public var key: ItemKey { ItemKey(chunk.job.text, Self.prefix(chunk) + receipt) }

    public static let openIndex = TableIndex(name: "open_receipts", partitionKey: "open", sortKey: "poll_at")
    public static let schema = TableSchema(name: "ecom_jobs", indexes: [openIndex], ttl: "expires_at")

    public static let pollAtAttribute = Attribute<ReceiptItem, Timestamp>(CodingKeys.pollAt.rawValue)
    public static let openAttribute = Attribute<ReceiptItem, String>(CodingKeys.open.rawValue)
    public static let endsAttribute = Attribute<ReceiptItem, String>(CodingKeys.ends.rawValue)

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case chunk, receipt
        case account = "system_account_id"
        case indexName = "index_name"
        case count, positions
        case payloadKey = "payload"
        case chunksOfPage = "of"
        case payloadOffset = "payload_offset"
        case payloadLength = "payload_length"
        case attempt
        case pollAt = "poll_at"
        case open, ends
        case acceptedAt = "accepted_at"
        case deadline
        case expiresAt = "expires_at"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        chunk = try ChunkID(from: container, job: .job, path: .chunk)
        receipt = try container.decode(String.self, forKey: .receipt)
        account = try container.decode(String.self, forKey: .account)
        indexName = try container.decode(String.self, forKey: .indexName)
        count = try container.decode(Int.self, forKey: .count)
        let ranges = try container.decode(String.self, forKey: .positions)
        guard let positions = PositionRanges.positions(ranges, below: count) else {
            let problem = "not positions below \(count): \(ranges)"
            throw DecodingError.dataCorruptedError(forKey: .positions, in: container, debugDescription: problem)
        }
        self.positions = positions
        payloadOffset = try container.decode(Int.self, forKey: .payloadOffset)
        payloadLength = try container.decode(Int.self, forKey: .payloadLength)
        payloadKey = try container.decodeIfPresent(String.self, forKey: .payloadKey)
        chunksOfPage = try container.decode(Int.self, forKey: .chunksOfPage)
        attempt = try container.decode(Int.self, forKey: .attempt)
        pollAt = try container.decodeIfPresent(Timestamp.self, forKey: .pollAt)
        open = try container.decodeIfPresent(String.self, forKey: .open)
        ends = try container.decodeIfPresent(String.self, forKey: .ends)
        acceptedAt = try container.decode(Timestamp.self, forKey: .acceptedAt)
        deadline = try container.decode(Timestamp.self, forKey: .deadline)
        expiresAt = try container.decode(Int64.self, forKey: .expiresAt)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(chunk.job, forKey: .job)
        try container.encode(chunk.path, forKey: .chunk)
        try container.encode(receipt, forKey: .receipt)
        try container.encode(account, forKey: .account)
        try container.encode(indexName, forKey: .indexName)
        try container.encode(count, forKey: .count)
        try container.encode(PositionRanges.text(positions), forKey: .positions)
        try container.encode(payloadOffset, forKey: .payloadOffset)
        try container.encode(payloadLength, forKey: .payloadLength)
        try container.encodeIfPresent(payloadKey, forKey: .payloadKey)
        try container.encode(chunksOfPage, forKey: .chunksOfPage)
        try container.encode(attempt, forKey: .attempt)
        try container.encodeIfPresent(pollAt, forKey: .pollAt)
        try container.encodeIfPresent(open, forKey: .open)
        try container.encodeIfPresent(ends, forKey: .ends)
        try container.encode(acceptedAt, forKey: .acceptedAt)
        try container.encode(deadline, forKey: .deadline)
        try container.encode(expiresAt, forKey: .expiresAt)
    }
}
