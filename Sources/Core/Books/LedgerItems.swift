// The other items of the ledger: whose a page is, how a chunk's records stand, what came as an orphan.

/// Who owns a page, decided once by its commit, and where its chunks lie.
///
/// Never changed.
public struct PageItem: TableItem, Hashable {
    public var job: JobID
    public var slice: Int
    public var page: Int
    public var epoch: Int
    /// How many records each chunk has.
    public var sizes: [Int]
    /// Where each chunk begins in the page's kept payload, and after the last one its end.
    public var offsets: [Int]

    public init(job: JobID, slice: Int, page: Int, epoch: Int, sizes: [Int], offsets: [Int]) {
        self.job = job
        self.slice = slice
        self.page = page
        self.epoch = epoch
        self.sizes = sizes
        self.offsets = offsets
    }

    public static func key(job: JobID, slice: Int, page: Int) -> ItemKey {
        ItemKey(job.text, "page#\(pad(slice, 3))#\(pad(page, 9))")
    }

    public var key: ItemKey { Self.key(job: job, slice: slice, page: page) }
    public static let schema = ledgerSchema

    public var problem: String? {
        guard !sizes.isEmpty else { return nil }
        guard sizes.allSatisfy({ $0 > 0 }) else { return "sizes: a chunk has at least one record" }
        let isRising = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
        guard offsets.count == sizes.count + 1, offsets[0] >= 0, isRising else {
            return "offsets: there is one for each chunk and one for the end, none below the one before it"
        }
        return nil
    }

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case slice, page, epoch, sizes, offsets
    }
}

/// How a chunk's records stand.
///
/// Absent means that all are in flight.
public struct ChunkItem: TableItem, Hashable {
    public var chunk: ChunkID
    public var letters: String
    /// Where an assembling sink put completed records, as far as that booking stands.
    public var places: [BookedPlace]

    /// A place, and which positions of the chunk its chosen lines are.
    public struct BookedPlace: Sendable, Hashable, Codable {
        public var place: SinkPlace
        /// Nil when all lines count.
        public var lines: [Int]?

        public init(place: SinkPlace, lines: [Int]?) {
            self.place = place
            self.lines = lines
        }
    }

    public init(chunk: ChunkID, letters: String, places: [BookedPlace] = []) {
        self.chunk = chunk
        self.letters = letters
        self.places = places
    }

    public static func key(_ chunk: ChunkID) -> ItemKey { ItemKey(chunk.job.text, "chunk#\(chunk.path)") }
    public var key: ItemKey { Self.key(chunk) }
    public static let schema = ledgerSchema
    public static let lettersAttribute = Attribute<ChunkItem, String>("letters")

    public var problem: String? { Letters(letters) == nil ? "letters: there is one that is none" : nil }

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case chunk, letters, places
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        chunk = try ChunkID(from: container, job: .job, path: .chunk)
        letters = try container.decode(String.self, forKey: .letters)
        places = try container.decodeIfPresent([BookedPlace].self, forKey: .places) ?? []
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(chunk.job, forKey: .job)
        try container.encode(chunk.path, forKey: .chunk)
        try container.encode(letters, forKey: .letters)
        if !places.isEmpty { try container.encode(places, forKey: .places) }
    }
}

/// A chunk of a page that another epoch owns; each is counted once.
public struct OrphanItem: TableItem, Hashable {
    public var chunk: ChunkID
    public var count: Int

    public init(chunk: ChunkID, count: Int) {
        self.chunk = chunk
        self.count = count
    }

    public var key: ItemKey { ItemKey(chunk.job.text, "orphan#\(chunk.path)") }
    public static let schema = ledgerSchema

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case chunk, count
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        chunk = try ChunkID(from: container, job: .job, path: .chunk)
        count = try container.decode(Int.self, forKey: .count)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(chunk.job, forKey: .job)
        try container.encode(chunk.path, forKey: .chunk)
        try container.encode(count, forKey: .count)
    }
}

extension ChunkID {
    /// Reads an id out of an item that holds the job and the path under two names.
    init<Key: CodingKey>(from container: KeyedDecodingContainer<Key>, job: Key, path: Key) throws {
        let text = try container.decode(String.self, forKey: path)
        guard let chunk = ChunkID(job: try container.decode(JobID.self, forKey: job), path: text) else {
            throw DecodingError.dataCorruptedError(
                forKey: path,
                in: container,
                debugDescription: "not a chunk: \(text)"
            )
        }
        self = chunk
    }
}
