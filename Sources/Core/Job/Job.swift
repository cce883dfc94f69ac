// The central record of a job, with the source system's field names and ours beside them.

/// One execution of bulk work as it is stored in the reindexing table.
public struct Job: TableItem, Hashable {
    /// What a job does with the records it finds.
    public enum ReindexType: String, Sendable, Hashable, Codable, CaseIterable {
        /// Replaces whole documents.
        case post
        /// Updates only the named `fields`.
        case patch
    }

    /// What becomes of a record that can't be transformed.
    public enum BadRecordRule: String, Sendable, Hashable, Codable, CaseIterable {
        /// The job pauses and names the record.
        case stop
        /// The record becomes a dead letter, and the job goes on.
        case deadLetter = "dead-letter"
    }

    /// What a source's records look like.
    public enum RecordShape: String, Sendable, Hashable, Codable, CaseIterable {
        /// The record itself, with its id in `idField`.
        case plain
        /// A document as Vespa keeps it for Marqo; made the document again that its owner once sent.
        case vespa
    }

    /// `reindex` so far.
    public var kind: String
    public var systemAccountID: String
    public var indexName: String
    public var id: JobID
    public var reindexType: ReindexType
    public var status: JobStatus
    /// How many slices the source is read in; 1 to 256, fixed at creation.
    public var concurrency: Int
    /// Which fields a patch sends.
    public var fields: [String]?
    public var skipExtractionIfFieldsPresent: [String]?
    public var destinationIndexName: String?

    /// Records read from the source, those skipped by rule included.
    public var extractedDocCount = 0
    /// Records that the sink accepted.
    public var replayedDocCount = 0
    /// Records that are confirmed.
    public var completedDocCount = 0
    public var skippedDocCount = 0
    public var inFlightDocCount = 0
    public var awaitingDocCount = 0
    public var deadLetteredDocCount = 0
    /// Records of chunks that came too late to own their page; dropped, and sent again by the page's owner.
    public var redeliveredDocCount = 0

    /// Where records come from and go to, as URLs without secrets.
    public var source: String
    public var sink: String
    public var shape: RecordShape
    /// The index record as it was when the job was created, for jobs that depend on one.
    public var index: IndexDetails?
    /// The field that holds a record's id.
    public var idField: String
    public var overwrite: Bool
    public var onBadRecord: BadRecordRule
    /// How many records one page should hold.
    public var pageSize: Int
    /// Records a second, over all workers; nil is unlimited.
    ///
    /// Can be changed while the job runs.
    public var rate: Double?
    /// Deliveries at once in each worker; nil lets each worker find out.
    ///
    /// Can be changed while the job runs.
    public var deliveryConcurrency: Int?
    /// Such as `1%` or `500` dead letters; reaching it pauses the job.
    public var failureBudget: String?
    /// Whether queued chunks wait too while the job is paused.
    public var holdsDelivery: Bool
    /// Why the job is in its state, when somebody should know.
    public var statusReason: String?
    /// How often extraction was started.
    public var launchNumber: Int
    public var sourceFingerprint: String
    public var sourceBytes: Int64?
    public var sourceRecords: Int64?
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    /// When it was last launched.
    public var startedAt: Timestamp?
    public var finishedAt: Timestamp?
    /// How long it has been in progress up to its last launch's end; pauses do not count.
    public var activeSeconds: Double
    /// When its ledger was sealed and purged, 30 days after its end.
    public var sealedAt: Timestamp?
    /// `live` until the job is at its end and cleared away; only live jobs are in the index that workers look at.
    public var live: String?
    /// Which process puts the output together, until when nobody else may.
    public var finisher: OwnerID?
    public var finisherUntil: Timestamp?

    public var jobKey: JobKey { JobKey(systemAccountID: systemAccountID, indexName: indexName, id: id) }
    public var key: ItemKey { jobKey.itemKey }
    /// The index that is written.
    public var targetIndexName: String { destinationIndexName ?? indexName }

    public static let liveMark = "live"
    public static let liveIndex = TableIndex(name: "live_jobs", partitionKey: "live", sortKey: "reindex_id")
    public static let schema = TableSchema(
        name: "reindexing",
        indexes: [TableIndex(name: "reindex_id_index", partitionKey: "reindex_id"), liveIndex],
        isFollowed: true
    )

    enum CodingKeys: String, CodingKey {
        case kind
        case systemAccountID = "system_account_id"
        case indexName = "index_name"
        case id = "reindex_id"
        case reindexType = "reindex_type"
        case status = "job_status"
        case concurrency, fields
        case skipExtractionIfFieldsPresent = "skip_extraction_if_fields_present"
        case destinationIndexName = "destination_index_name"
        case extractedDocCount = "extracted_doc_count"
        case replayedDocCount = "replayed_doc_count"
        case completedDocCount = "completed_doc_count"
        case skippedDocCount = "skipped_doc_count"
        case inFlightDocCount = "in_flight_doc_count"
        case awaitingDocCount = "awaiting_doc_count"
        case deadLetteredDocCount = "dead_lettered_doc_count"
        case redeliveredDocCount = "redelivered_doc_count"
        case source, sink, shape
        case index = "index_details"
        case idField = "id_field"
        case overwrite
        case onBadRecord = "on_bad_record"
        case pageSize = "page_size"
        case rate
        case deliveryConcurrency = "delivery_concurrency"
        case failureBudget = "failure_budget"
        case holdsDelivery = "holds_delivery"
        case statusReason = "status_reason"
        case launchNumber = "launch_number"
        case sourceFingerprint = "source_fingerprint"
        case sourceBytes = "source_bytes"
        case sourceRecords = "source_records"
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case startedAt = "started_at"
        case finishedAt = "finished_at"
        case activeSeconds = "active_seconds"
        case sealedAt = "sealed_at"
        case live, finisher
        case finisherUntil = "finisher_until"
    }

    public static let concurrencyRange = 1...256
    public static let pageSizeRange = 1...10_000
    /// Records a second, over all workers.
    public static let rateRange = 0.000_001...10_000_000
    public static let deliveryConcurrencyRange = 1...256

    public var problem: String? {
        if !Self.concurrencyRange.contains(concurrency) { return "concurrency: must be 1 to 256, is \(concurrency)" }
        if !Self.pageSizeRange.contains(pageSize) { return "page_size: must be 1 to 10000, is \(pageSize)" }
        if let rate, !Self.rateRange.contains(rate) { return "rate: must be 0.000001 to 10000000, is \(rate)" }
        if let limit = deliveryConcurrency, !Self.deliveryConcurrencyRange.contains(limit) {
            return "delivery_concurrency: must be 1 to 256, is \(limit)"
        }
        return nil
    }

    public init(
        key: JobKey,
        kind: String = "reindex",
        reindexType: ReindexType,
        concurrency: Int,
        fields: [String]? = nil,
        skipExtractionIfFieldsPresent: [String]? = nil,
        destinationIndexName: String? = nil,
        source: String,
        sink: String,
        shape: RecordShape = .plain,
        index: IndexDetails? = nil,
        idField: String = "_id",
        overwrite: Bool = false,
        onBadRecord: BadRecordRule = .stop,
        pageSize: Int = 1500,
        rate: Double? = nil,
        deliveryConcurrency: Int? = nil,
        failureBudget: String? = nil,
        sourceDescription: SourceDescription,
        now: Timestamp
    ) {
        self.kind = kind
        systemAccountID = key.systemAccountID
        indexName = key.indexName
        id = key.id
        self.reindexType = reindexType
        status = .pending
        self.concurrency = concurrency
        self.fields = fields
        self.skipExtractionIfFieldsPresent = skipExtractionIfFieldsPresent
        self.destinationIndexName = destinationIndexName
        self.source = source
        self.sink = sink
        self.shape = shape
        self.index = index
        self.idField = idField
        self.overwrite = overwrite
        self.onBadRecord = onBadRecord
        self.pageSize = pageSize
        self.rate = rate
        self.deliveryConcurrency = deliveryConcurrency
        self.failureBudget = failureBudget
        holdsDelivery = false
        launchNumber = 0
        sourceFingerprint = sourceDescription.fingerprint
        sourceBytes = sourceDescription.bytes
        sourceRecords = sourceDescription.records
        createdAt = now
        updatedAt = now
        activeSeconds = 0
        live = Self.liveMark
    }
}

extension Job {
    public static let status = Attribute<Job, JobStatus>(CodingKeys.status.rawValue)
    public static let statusReason = Attribute<Job, String>(CodingKeys.statusReason.rawValue)
    public static let launchNumber = Attribute<Job, Int>(CodingKeys.launchNumber.rawValue)
    public static let rate = Attribute<Job, Double>(CodingKeys.rate.rawValue)
    public static let deliveryConcurrency = Attribute<Job, Int>(CodingKeys.deliveryConcurrency.rawValue)
    public static let failureBudget = Attribute<Job, String>(CodingKeys.failureBudget.rawValue)
    public static let onBadRecord = Attribute<Job, String>(CodingKeys.onBadRecord.rawValue)
    public static let holdsDelivery = Attribute<Job, Bool>(CodingKeys.holdsDelivery.rawValue)
    public static let updatedAt = Attribute<Job, Timestamp>(CodingKeys.updatedAt.rawValue)
    public static let startedAt = Attribute<Job, Timestamp>(CodingKeys.startedAt.rawValue)
    public static let finishedAt = Attribute<Job, Timestamp>(CodingKeys.finishedAt.rawValue)
    public static let sealedAt = Attribute<Job, Timestamp>(CodingKeys.sealedAt.rawValue)
    public static let live = Attribute<Job, String>(CodingKeys.live.rawValue)
    public static let finisher = Attribute<Job, OwnerID>(CodingKeys.finisher.rawValue)
    public static let finisherUntil = Attribute<Job, Timestamp>(CodingKeys.finisherUntil.rawValue)
    public static let activeSeconds = Attribute<Job, Double>(CodingKeys.activeSeconds.rawValue)

    /// The changes that store a projection of the slices' counters.
    public static func projecting(_ sheet: BalanceSheet) -> [AttributeChange] {
        [
            Attribute<Job, Int>(CodingKeys.extractedDocCount.rawValue).set(sheet.extracted),
            Attribute<Job, Int>(CodingKeys.replayedDocCount.rawValue).set(sheet.replayed),
            Attribute<Job, Int>(CodingKeys.completedDocCount.rawValue).set(sheet.completed),
            Attribute<Job, Int>(CodingKeys.skippedDocCount.rawValue).set(sheet.skipped),
            Attribute<Job, Int>(CodingKeys.inFlightDocCount.rawValue).set(sheet.inFlight),
            Attribute<Job, Int>(CodingKeys.awaitingDocCount.rawValue).set(sheet.awaiting),
            Attribute<Job, Int>(CodingKeys.deadLetteredDocCount.rawValue).set(sheet.deadLettered),
            Attribute<Job, Int>(CodingKeys.redeliveredDocCount.rawValue).set(sheet.redelivered),
        ]
    }

    /// The counters as the record last stored them.
    public var balance: BalanceSheet {
        var sheet = BalanceSheet()
        sheet.extracted = extractedDocCount
        sheet.skipped = skippedDocCount
        sheet.inFlight = inFlightDocCount
        sheet.awaiting = awaitingDocCount
        sheet.completed = completedDocCount
        // Of a stored projection only the sum of both kinds of dead letters and `replayed` are kept.
        sheet.failed = replayedDocCount - completedDocCount - awaitingDocCount
        sheet.refused = deadLetteredDocCount - sheet.failed
        sheet.redelivered = redeliveredDocCount
        return sheet
    }
}

/// Who writes to a destination: one item for each destination that a live job uses.
public struct DestinationClaim: TableItem {
    public var destination: String
    public var job: JobID
    public var systemAccountID: String
    public var indexName: String

    public init(destination: String, job: JobKey) {
        self.destination = destination
        self.job = job.id
        systemAccountID = job.systemAccountID
        indexName = job.indexName
    }

    public var key: ItemKey { ItemKey(destination) }
    public static let schema = TableSchema(name: "destinations", partitionKey: "destination", sortKey: nil)
    public static let jobAttribute = Attribute<DestinationClaim, JobID>(CodingKeys.job.rawValue)

    enum CodingKeys: String, CodingKey {
        case destination
        case job = "reindex_id"
        case systemAccountID = "system_account_id"
        case indexName = "index_name"
    }
}
