// Compares what a destination holds with what its source says, and mends what differs.
public import SluiceCore

/// What a comparison found, record by record.
public struct VerificationReport: Sendable, Equatable {
    /// One record that is not as it should be.
    public struct Finding: Sendable, Equatable {
        public enum Kind: String, Sendable, Equatable {
            case missing, different, extra
        }

        public var id: String
        public var kind: Kind
        /// Such as `price differs`.
        public var detail: String

        public init(id: String, kind: Kind, detail: String) {
            self.id = id
            self.kind = kind
            self.detail = detail
        }
    }

    /// Records of the source that were looked at.
    public var compared = 0
    public var matching = 0
    public var missing = 0
    public var different = 0
    /// In the destination and neither in the source nor sent by the job; nil if the destination can't be listed.
    public var extra: Int?
    /// Left out by the job's rule, so that they need not be there.
    public var expectedMissingSkipped = 0
    /// Dead letters of the job, so that they are not there, or not as they should be.
    public var expectedMissingDead = 0
    /// Differing at first, and as they should be when looked at again.
    public var settled = 0
    /// Of the missing and different ones, those whose source has changed since the job read it.
    public var changedSince = 0
    /// Missing or different ones that were too many to be looked at twice in one run.
    public var notRechecked = 0
    /// Delivered again by `repair`, and confirmed.
    public var repaired = 0
    /// The first few of each kind.
    public var findings: [Finding] = []

    public init() {}

    /// Whether the destination holds all it should, and nothing else as far as it can be known.
    public var isClean: Bool { missing == 0 && different == 0 && (extra ?? 0) == 0 }

    /// How many findings of each kind are named.
    static let namedMax = 20

    mutating func name(_ id: String, _ kind: Finding.Kind, _ detail: String) {
        guard findings.count(where: { $0.kind == kind }) < Self.namedMax else { return }
        findings.append(Finding(id: id, kind: kind, detail: detail))
    }
}

/// How a comparison is made.
public struct VerificationOptions: Sendable {
    /// How long differences are left alone before they are looked at again: writes may still be on their way.
    public var settle: Duration = .seconds(2)
    /// Whether missing and different records are delivered again.
    public var repairs = false
    /// Told how many records have been compared so far.
    public var progress: @Sendable (Int) -> Void = { _ in }

    public init() {}
}

/// The verification of one job.
public struct Verification: Sendable {
    let context: EngineContext
    let options: VerificationOptions

    public init(_ context: EngineContext, options: VerificationOptions = VerificationOptions()) {
        self.context = context
        self.options = options
    }

    /// Reads the source again, and compares what the job makes of it with what the destination holds.
    ///
    /// Changes nothing in the books; delivers to the destination only with `repairs`.
    ///
    /// - Throws: `JobError.field` if the job is still at work or its sink can't be read; `SourceError`, `SinkError`,
    ///   `PortError`.
    public func run(_ id: JobID) async throws -> VerificationReport {
        let job = try await JobStore(context).get(id)
        guard job.status.isFinal || job.status == .paused else {
            throw JobError.field(
                "job_status",
                "job \(id) is \(job.status); what is still under way can't be compared: wait for its end, or pause it"
            )
        }
        guard job.sealedAt == nil else {
            throw JobError.field(
                "reindex_id",
                "the ledger of job \(id) was purged, and with it what was sent is unknown"
            )
        }
        let scan = SourceScan(context, job, progress: options.progress)
        if let output = try context.parts.output(of: job) {
            guard !options.repairs else {
                throw JobError.field(
                    "repair",
                    "records can't be put into a finished file; run the job again with --overwrite"
                )
            }
            return try await ReadBack(context: context, job: job, output: output).compare(scan)
        }
        guard let sink = try context.parts.sink(for: job) as? any ReadableSink else {
            throw JobError.field(
                "sink",
                "what \(job.sink) was given can't be read back, so there is nothing to compare"
            )
        }
        return try await Lookup(context: context, job: job, sink: sink, options: options).compare(scan)
    }
}
