// A slice as it is stored: its checkpoint, its lease and its counters, in one item that balances in every version.

/// One of a job's slices.
///
/// Small and often written.
public struct SliceItem: TableItem, Hashable {
    public var job: JobID
    public var index: Int
    /// How often it was claimed; the fencing token of the lease.
    public var epoch = 0
    /// The next page to commit.
    public var page = 0
    public var continuation: String?
    /// The source has said that nothing follows.
    public var finished = false
    /// Cancelled: nothing can be claimed or committed any more.
    public var closed = false
    /// The ledger has been purged, or may be at any moment: nothing late is booked.
    public var sealed = false
    public var owner: OwnerID?
    public var leaseUntil: Timestamp?
    /// What the continuation is good for: slices, source, selection.
    public var match: String
    public var bytesRead: Int64 = 0
    /// Which share of the slice has been read, 0 to 1, if the source knows.
    public var fractionRead: Double?

    public var extracted = 0
    public var skipped = 0
    public var inFlight = 0
    public var awaiting = 0
    public var refused = 0
    public var failed = 0
    public var completed = 0
    public var redelivered = 0

    public init(job: JobID, index: Int, match: String) {
        self.job = job
        self.index = index
        self.match = match
    }

    public var balance: BalanceSheet {
        var sheet = BalanceSheet()
        sheet.extracted = extracted
        sheet.skipped = skipped
        sheet.inFlight = inFlight
        sheet.awaiting = awaiting
        sheet.refused = refused
        sheet.failed = failed
        sheet.completed = completed
        sheet.redelivered = redelivered
        return sheet
    }

    public static func key(job: JobID, index: Int) -> ItemKey { ItemKey(job.text, "slice#\(pad(index, 3))") }
    public var key: ItemKey { Self.key(job: job, index: index) }
    public static let schema = ledgerSchema

    enum CodingKeys: String, CodingKey {
        case job = "reindex_id"
        case index = "slice"
        case epoch, page, continuation, finished, closed, sealed, owner
        case leaseUntil = "lease_until"
        case match
        case bytesRead = "bytes_read"
        case fractionRead = "fraction_read"
        case extracted, skipped
        case inFlight = "in_flight"
        case awaiting, refused, failed, completed, redelivered
    }

    public static let epoch = Attribute<SliceItem, Int>(CodingKeys.epoch.rawValue)
    public static let page = Attribute<SliceItem, Int>(CodingKeys.page.rawValue)
    public static let continuation = Attribute<SliceItem, String>(CodingKeys.continuation.rawValue)
    public static let finished = Attribute<SliceItem, Bool>(CodingKeys.finished.rawValue)
    public static let closed = Attribute<SliceItem, Bool>(CodingKeys.closed.rawValue)
    public static let sealed = Attribute<SliceItem, Bool>(CodingKeys.sealed.rawValue)
    public static let owner = Attribute<SliceItem, OwnerID>(CodingKeys.owner.rawValue)
    public static let leaseUntil = Attribute<SliceItem, Timestamp>(CodingKeys.leaseUntil.rawValue)
    public static let bytesRead = Attribute<SliceItem, Int64>(CodingKeys.bytesRead.rawValue)
    public static let fractionRead = Attribute<SliceItem, Double>(CodingKeys.fractionRead.rawValue)
    public static let extracted = Attribute<SliceItem, Int>(CodingKeys.extracted.rawValue)
    public static let skipped = Attribute<SliceItem, Int>(CodingKeys.skipped.rawValue)
    public static let inFlight = Attribute<SliceItem, Int>(CodingKeys.inFlight.rawValue)
    public static let redelivered = Attribute<SliceItem, Int>(CodingKeys.redelivered.rawValue)

    /// The changes that move the counters by a difference of letters.
    public static func moving(_ difference: LetterCounts) -> [AttributeChange] {
        let names: [(Letter, CodingKeys)] = [
            (.inFlight, .inFlight), (.accepted, .awaiting), (.refused, .refused), (.failed, .failed),
            (.completed, .completed),
        ]
        return names.compactMap { letter, key in
            difference[letter] == 0 ? nil : Attribute<SliceItem, Int>(key.rawValue).add(difference[letter])
        }
    }
}

/// The table of slices, pages, chunks and orphans; the source system's Progress Table.
public let ledgerSchema = TableSchema(name: "progress")
