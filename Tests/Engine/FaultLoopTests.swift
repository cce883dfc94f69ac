// The n-th call fails, for every n until a run has fewer: the job completes and its books are exact.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("The n-th fault")
struct FaultLoopTests {
    @Test("of the backend changes nothing about the end", arguments: FaultPlan.Moment.allFaults, FaultWorld.kinds)
    func backend(moment: FaultPlan.Moment, kind: FaultWorld.Kind) async throws {
        try await FaultPlan.failingEachCall(of: [.storeWrite, .queueCall, .objectCall, .commit], moment: moment) {
            plan in
            try await FaultWorld(kind, plan: plan).check()
        }
    }

    @Test("of reading changes nothing about the end", arguments: FaultWorld.kinds)
    func reads(kind: FaultWorld.Kind) async throws {
        try await FaultPlan.failingEachCall(of: [.storeRead], moment: .notApplied) { plan in
            try await FaultWorld(kind, plan: plan).check()
        }
    }

    @Test("of the sink changes nothing about the end", arguments: FaultPlan.Moment.allFaults, FaultWorld.kinds)
    func sink(moment: FaultPlan.Moment, kind: FaultWorld.Kind) async throws {
        for number in 1...1000 {
            let fault = SinkFault(number: number, moment: moment)
            try await FaultWorld(kind, plan: FaultPlan(), sinkFault: fault).check()
            if !fault.hasStruck { return }
        }
        Issue.record("a run makes more than 1000 calls of its sink")
    }
}

extension FaultPlan.Moment {
    static let allFaults: [FaultPlan.Moment] = [.notApplied, .answerLost]
}

/// One small job and everything that moves it, one step after the other.
struct FaultWorld {
    struct Kind: Sendable, CustomTestStringConvertible {
        var sink: FaultSinks.Kind
        var isAtomic: Bool

        var testDescription: String { "\(sink) sink, \(isAtomic ? "atomic" : "not atomic")" }
    }

    static let kinds = [
        Kind(sink: .prompt, isAtomic: true), Kind(sink: .prompt, isAtomic: false),
        Kind(sink: .later, isAtomic: false), Kind(sink: .placing, isAtomic: true),
    ]

    private let kind: Kind
    private let plan: FaultPlan
    private let memory: MemoryBackend
    private let clock = SkippingClock()
    private let sinks: FaultSinks
    private let context: EngineContext
    private let job: Job
    private let description = SourceDescription(fingerprint: "fixed")

    init(_ kind: Kind, plan: FaultPlan, sinkFault: SinkFault? = nil) {
        self.kind = kind
        self.plan = plan
        sinks = FaultSinks(kind: kind.sink, fault: sinkFault)
        var settings = EngineSettings()
        settings.chunkRecordsMax = 2
        let world = FixedWorld(
            FaultParts(sinks: sinks),
            clock: clock,
            isAtomic: kind.isAtomic,
            failing: plan,
            settings: settings
        )
        (memory, context, job) = (world.memory, world.context, world.job)
    }

    /// Drives the job to its end and looks at everything.
    func check() async throws {
        let end = try await run()
        let moment = plan.log.first { $0.fault != nil }.map { "after \($0)" } ?? "without a fault of the backend"
        let label: Comment = "\(kind.testDescription), \(moment)"
        #expect(end.status == .completed, label)
        #expect(end.extractedDocCount == FixedSource.records, label)
        #expect(end.skippedDocCount == FixedSource.skipped, label)
        #expect(end.completedDocCount == FixedSource.delivered.count, label)
        #expect(end.replayedDocCount == FixedSource.delivered.count, label)
        #expect(end.inFlightDocCount == 0 && end.awaitingDocCount == 0 && end.deadLetteredDocCount == 0, label)
        #expect(sinks.held == FixedSource.delivered, label)
        if kind.sink == .placing { #expect(sinks.output.sorted() == FixedSource.delivered.sorted(), label) }
        let payloads = try await memory.objects.list(prefix: "payload/", after: nil, limit: 10)
        #expect(payloads.map(\.key) == [], label)
        let ledger = try await JobStore(clean).balance(of: job.id)
        #expect(ledger == end.balance, label)
    }

    /// The same without faults, for looking.
    private var clean: EngineContext {
        EngineContext(
            backend: memory.open(isAtomic: kind.isAtomic),
            parts: context.parts,
            clock: clock,
            logger: context.logger
        )
    }

    private static let roundsMax = 200

    private func run() async throws -> Job {
        let steps = Steps(context)
        try await insist { try await create() }
        for _ in 0..<Self.roundsMax {
            let rests = try await isAtRest()
            for step in steps.all(of: job) {
                // As a service does: what fails is left as it is, and looked at again a moment later.
                do { try await step() } catch { clock.advance(by: .seconds(1)) }
            }
            if rests { return try await JobStore(clean).get(job.id) }
            clock.advance(by: .seconds(30))
        }
        throw ContractFailure("no end after \(Self.roundsMax) rounds: \(try await JobStore(clean).get(job.id))")
    }

    /// At its end, with nothing queued; one more round then clears away what may be left.
    private func isAtRest() async throws -> Bool {
        guard try await JobStore(clean).get(job.id).status.isFinal else { return false }
        let queues = clean.backend.queues
        let total = try await queues.replay.depth().total + queues.progress.depth().total
        return total == 0
    }

    private func create() async throws {
        let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
        try await JobStore(context).create(job, match: match)
    }

    /// Whoever was refused asks again, as a person would.
    private func insist(_ body: () async throws -> Void) async throws {
        for _ in 0..<3 {
            do { return try await body() } catch { clock.advance(by: .seconds(1)) }
        }
        try await body()
    }
}
