// A job's name: the moment it was created and eight random digits.

/// `YYYY-MM-DD-HH-MM-SS-<8 hex>` in UTC, as the source system writes it; ids sort by creation.
public struct JobID: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    public init(now: Timestamp, random: any RandomSource) {
        let time = now.civil
        let parts =
            [pad(time.year, 4)] + [time.month, time.day, time.hour, time.minute, time.second].map { pad($0, 2) }
        text = (parts + [random.hexadecimal(8)]).joined(separator: "-")
    }

    /// - Throws: `JobError.field` if the text is not of the format.
    public init(_ text: String) throws(JobError) {
        let wanted = "dddd-dd-dd-dd-dd-dd-xxxxxxxx"
        let matches =
            text.utf8.count == wanted.utf8.count
            && zip(text.utf8, wanted.utf8).allSatisfy { byte, pattern in
                switch pattern {
                case UInt8(ascii: "d"): (48...57).contains(byte)
                case UInt8(ascii: "x"): (48...57).contains(byte) || (97...102).contains(byte)
                default: byte == pattern
                }
            }
        guard matches else {
            throw .field("reindex_id", "\"\(text)\" is not of the form YYYY-MM-DD-HH-MM-SS-<8 hexadecimal digits>")
        }
        self.text = text
    }

    public var description: String { text }
}

extension JobID: Codable, AttributeConvertible {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(text)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    public var attributeValue: AttributeValue { .string(text) }
}

/// Where a job's record is: the account, the index and the id.
public struct JobKey: Sendable, Hashable {
    /// `pk` of the record.
    public let systemAccountID: String
    public let indexName: String
    public let id: JobID

    public init(systemAccountID: String, indexName: String, id: JobID) {
        self.systemAccountID = systemAccountID
        self.indexName = indexName
        self.id = id
    }

    /// `{index_name}#{reindex_id}`; index names can't contain `#`.
    public var sortKey: String { "\(indexName)#\(id)" }

    public var itemKey: ItemKey { ItemKey(systemAccountID, sortKey) }
}
