// A job of `FixedSource` on a backend in memory, and the engine's parts to move it step by step.
import Logging
import MemoryDriver
import SluiceCore
import SluiceTestKit

@testable import SluiceEngine

struct FixedWorld {
    let memory: MemoryBackend
    let context: EngineContext
    /// Not stored before `create` or `extract`.
    let job: Job
    let steps: Steps

    init(
        _ parts: any JobParts,
        clock: any Timekeeping = SkippingClock(),
        isAtomic: Bool = true,
        failing plan: FaultPlan = FaultPlan(),
        settings: EngineSettings = EngineSettings(),
        wrapping wrap: (Backend) -> Backend = { $0 }
    ) {
        let random = SeededRandomSource(seed: 5)
        var logger = Logger(label: "fixed")
        logger.logLevel = .critical
        memory = MemoryBackend(clock: clock)
        context = EngineContext(
            backend: wrap(memory.open(isAtomic: isAtomic)).failing(by: plan),
            parts: parts,
            settings: settings,
            clock: clock,
            random: random,
            logger: logger
        )
        job = Job(
            key: JobKey(systemAccountID: "local", indexName: "index", id: JobID(now: clock.now, random: random)),
            reindexType: .post,
            concurrency: 2,
            source: "fixed:",
            sink: "sinks:",
            sourceDescription: SourceDescription(fingerprint: "fixed"),
            now: clock.now
        )
        steps = Steps(context)
    }

    func create() async throws {
        let description = SourceDescription(fingerprint: "fixed")
        let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
        try await JobStore(context).create(job, match: match)
    }

    /// Creates the job, and extracts all of it.
    func extract() async throws {
        try await create()
        try await steps.launch(job)
        for slice in 0..<job.concurrency { try await steps.extract(job, slice) }
    }

    /// Books what there is to book, and ends the job if it has come to its end.
    func end() async throws -> Job {
        try await steps.book()
        try await steps.finish()
        return try await JobStore(context).get(job.id)
    }
}
