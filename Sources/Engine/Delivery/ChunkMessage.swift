// What travels through the replay queue: which chunk, and where its records are kept.
import SluiceCore

/// A message of the replay queue.
///
/// The records stay in the object store; the message names their place.
struct ChunkMessage: Sendable, Hashable, Codable {
    /// Raised when an older reader could not understand the message any more.
    static let currentVersion = 1

    var version = currentVersion
    var account: String
    var index: String
    var job: JobID
    var path: String
    var count: Int
    /// How many chunks the page has.
    var chunksOfPage: Int
    /// Where the records are kept; nil for the chunk's own place in its page's payload.
    var payloadKey: String?
    var offset: Int
    var length: Int
    /// The positions to deliver again although they are dead letters.
    var redrive: [Int]?
    /// How often the message was put off: its page had no owner yet, its job held deliveries back, or a port failed.
    var deferrals: Int?
    /// How often it was taken back out of the dead-letter queue.
    var returns: Int?
    /// Set in what extraction sends; a message that is sent again for any reason does not have it.
    var isFirst: Bool?

    enum CodingKeys: String, CodingKey {
        case version = "v"
        case account = "system_account_id"
        case index = "index_name"
        case job = "reindex_id"
        case path = "chunk"
        case count
        case chunksOfPage = "of"
        case payloadKey = "payload"
        case offset, length, redrive, deferrals, returns
        case isFirst = "first"
    }

    init(job: JobKey, chunk: ChunkID, count: Int, chunksOfPage: Int, offset: Int, length: Int) {
        account = job.systemAccountID
        index = job.indexName
        self.job = job.id
        path = chunk.path
        self.count = count
        self.chunksOfPage = chunksOfPage
        self.offset = offset
        self.length = length
    }

    var jobKey: JobKey { JobKey(systemAccountID: account, indexName: index, id: job) }

    var chunk: ChunkID {
        get throws(PortError) {
            guard let chunk = ChunkID(job: job, path: path) else {
                throw PortError(.invalidRequest, "a chunk message names no chunk: \(path)")
            }
            return chunk
        }
    }

    /// - Throws: `PortError.invalidRequest` for a body of another form or version.
    init(body: [UInt8]) throws(PortError) {
        self = try MessageCoding.decode(Self.self, body)
        guard version == Self.currentVersion else {
            throw PortError(
                .invalidRequest,
                "a chunk message is of version \(version); this program reads \(Self.currentVersion)"
            )
        }
        guard (1...1000).contains(count), offset >= 0, length >= 0,
            redrive?.allSatisfy({ (0..<count).contains($0) }) ?? true
        else { throw PortError(.invalidRequest, "a chunk message's numbers are out of range") }
        _ = try chunk
    }

    func outgoing(delay: Duration = .zero, isFirst: Bool = false) throws(PortError) -> OutgoingMessage {
        var message = self
        message.isFirst = isFirst ? true : nil
        return OutgoingMessage(body: try MessageCoding.encode(message), delay: delay)
    }
}

/// What travels through the progress queue: how far a chunk's records have come, as letters that only rise.
struct ProgressEvent: Sendable, Hashable, Codable {
    static let currentVersion = 1

    var version = currentVersion
    var account: String
    var index: String
    var job: JobID
    var path: String
    /// One letter for each record; `i` says nothing.
    var letters: String
    var chunksOfPage: Int
    /// Where an assembling sink put the records, by position.
    var places: [Placed]?

    struct Placed: Sendable, Hashable, Codable {
        var place: SinkPlace
        var positions: [Int]
    }

    enum CodingKeys: String, CodingKey {
        case version = "v"
        case account = "system_account_id"
        case index = "index_name"
        case job = "reindex_id"
        case path = "chunk"
        case letters
        case chunksOfPage = "of"
        case places
    }

    init(job: JobKey, chunk: ChunkID, letters: Letters, chunksOfPage: Int, places: [Placed] = []) {
        account = job.systemAccountID
        index = job.indexName
        self.job = job.id
        path = chunk.path
        self.letters = letters.text
        self.chunksOfPage = chunksOfPage
        self.places = places.isEmpty ? nil : places
    }

    var jobKey: JobKey { JobKey(systemAccountID: account, indexName: index, id: job) }

    var parsed: (chunk: ChunkID, letters: Letters) {
        get throws(PortError) {
            guard let chunk = ChunkID(job: job, path: path), let letters = Letters(letters), letters.count > 0 else {
                throw PortError(.invalidRequest, "a progress event names no chunk or no letters: \(path)")
            }
            return (chunk, letters)
        }
    }

    /// - Throws: `PortError.invalidRequest` for a body of another form or version.
    init(body: [UInt8]) throws(PortError) {
        self = try MessageCoding.decode(Self.self, body)
        guard version == Self.currentVersion else {
            throw PortError(
                .invalidRequest,
                "a progress event is of version \(version); this program reads \(Self.currentVersion)"
            )
        }
        let (_, letters) = try parsed
        for placed in places ?? [] {
            guard placed.positions.allSatisfy({ (0..<letters.count).contains($0) }) else {
                throw PortError(.invalidRequest, "a progress event's positions are out of range")
            }
        }
    }

    func outgoing() throws(PortError) -> OutgoingMessage {
        OutgoingMessage(body: try MessageCoding.encode(self))
    }
}

/// Message bodies as JSON.
enum MessageCoding {
    static func encode(_ value: some Encodable) throws(PortError) -> [UInt8] {
        do {
            return AttributeJSON.encode(try ItemCoding.encode(value))
        } catch {
            throw PortError(.invalidRequest, "a message can't be written", cause: error)
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ body: [UInt8]) throws(PortError) -> Value {
        guard let item = AttributeJSON.decode(body) else {
            throw PortError(.invalidRequest, "a message of \(body.count) bytes is not JSON of the expected form")
        }
        do {
            return try ItemCoding.decode(type, from: item)
        } catch {
            throw PortError(.invalidRequest, "a message lacks what it needs", cause: error)
        }
    }
}
