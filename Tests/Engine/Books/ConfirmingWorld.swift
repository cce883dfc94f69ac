// A small job whose records have been accepted, and a sink that says of them what a test wants.
import Logging
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Synchronization

@testable import SluiceEngine

/// Six chunks of three records of `FixedSource`, each under a receipt; nothing has been confirmed.
struct ConfirmingWorld {
    static let chunks = 6

    let sink: TellingSink
    private let memory: MemoryBackend
    private let clock = SkippingClock()
    private let job: Job

    private let isAtomic: Bool
    private let interval: Duration

    init(_ sink: TellingSink, isAtomic: Bool = false, every interval: Duration = .seconds(1)) async throws {
        self.sink = sink
        self.isAtomic = isAtomic
        self.interval = interval
        memory = MemoryBackend(clock: clock)
        let random = SeededRandomSource(seed: 7)
        job = Job(
            key: JobKey(systemAccountID: "local", indexName: "index", id: JobID(now: clock.now, random: random)),
            reindexType: .patch,
            concurrency: 2,
            fields: ["f"],
            source: "fixed:",
            sink: "telling:",
            sourceDescription: SourceDescription(fingerprint: "fixed"),
            now: clock.now
        )
        let context = context()
        let description = SourceDescription(fingerprint: "fixed")
        let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
        try await JobStore(context).create(job, match: match)
        let steps = Steps(context)
        try await steps.launch(job)
        for slice in 0..<2 { try await steps.extract(job, slice) }
        try await steps.replay()
        try await steps.book()
        clock.advance(by: .seconds(2))
    }

    /// What works on the job, with nothing at hand of what was read before.
    func context(_ plan: FaultPlan = FaultPlan(), atOnce: Int = 1) -> EngineContext {
        var settings = EngineSettings()
        settings.confirmInterval = interval
        settings.confirmationsMax = atOnce
        settings.recentPayloadBytesMax = 0
        var logger = Logger(label: "confirming")
        logger.logLevel = .critical
        return EngineContext(
            backend: memory.open(isAtomic: isAtomic).failing(by: plan),
            parts: TellingParts(sink: sink),
            settings: settings,
            clock: clock,
            random: SeededRandomSource(seed: 8),
            logger: logger
        )
    }

    /// Asks once about what is due, and moves the time to when it may be due again.
    @discardableResult
    func poll(_ context: EngineContext? = nil) async throws -> Int {
        let context = context ?? self.context()
        let confirmer = Confirmer(context: context, cache: JobCache(context), sinks: SinkCache(context))
        let count = try await confirmer.poll()
        clock.advance(by: max(interval, .seconds(2)))
        return count
    }

    /// Leaves only the keys of a slice's item.
    func spoilSlice(_ index: Int) async throws {
        let key = SliceItem.key(job: job.id, index: index)
        var item: AttributeMap = [ledgerSchema.partitionKey: .string(key.partition)]
        if let name = ledgerSchema.sortKey, let sort = key.sort { item[name] = .string(sort) }
        try await context().backend.tables.transact([TableAction(ledgerSchema, key, .put(item))])
    }

    /// Makes one receipt say nonsense of its positions.
    func spoilReceipt() async throws {
        let open = TableQuery(partition: ReceiptItem.openMark, index: ReceiptItem.openIndex.name, limit: 1)
        let found = try await context().receipts.query(open).items
        for receipt in found {
            let nonsense = [Attribute<ReceiptItem, String>("positions").set("99999")]
            let action = TableAction(ReceiptItem.schema, receipt.key, .update(nonsense))
            try await context().backend.tables.transact([action])
        }
    }

    func cancel() async throws {
        try await JobControl(context()).cancel(job.id)
    }

    func removePayloads() async throws {
        let found = try await memory.objects.list(prefix: "payload/", after: nil, limit: 100)
        try await memory.objects.delete(found.map(\.key))
    }

    /// How the records stand once all is booked.
    func balance() async throws -> BalanceSheet {
        let context = context()
        try await Steps(context).book()
        return try await JobStore(context).balance(of: job.id)
    }

    func deadLetters() async throws -> [DeadLetter] {
        try await DeadLetters(context()).list(job.id).letters
    }

    func status() async throws -> JobStatus {
        try await JobStore(context()).get(job.id).status
    }

    func openReceipts() async throws -> Int {
        let open = TableQuery(partition: ReceiptItem.openMark, index: ReceiptItem.openIndex.name, limit: 100)
        return try await context().receipts.query(open).items.count
    }
}

/// Accepts everything, and is told what to say of it.
final class TellingSink: ConfirmingSink {
    private let answer: @Sendable (ConfirmationRequest) async -> Confirmation
    private let deliveries = Mutex<[[Int]]>([])

    init(_ answer: @escaping @Sendable (ConfirmationRequest) async -> Confirmation) {
        self.answer = answer
    }

    /// The positions of every delivery so far.
    var delivered: [[Int]] { deliveries.withLock { $0 } }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        let number = deliveries.withLock { deliveries in
            deliveries.append(request.positions)
            return deliveries.count
        }
        return .accepted(receipt: "r\(number)")
    }

    func confirm(_ receipt: String, for request: ConfirmationRequest) async -> Confirmation {
        await answer(request)
    }
}

private struct TellingParts: JobParts {
    let sink: TellingSink

    func source(for job: Job) throws(JobError) -> any RecordSource { FixedSource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { sink }
    func destination(of job: Job) -> String? { "telling" }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { true }
}

extension ConfirmationRequest {
    var allCompleted: Confirmation { .ended(positions.map { _ in .completed }) }
}
