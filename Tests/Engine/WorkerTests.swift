// A whole worker in memory: everything is moved, and never more at once than allowed.
import Logging
import MemoryDriver
import SluiceCore
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("The worker", .timeLimit(.minutes(2)))
struct WorkerTests {
    @Test(
        "keeps its limit of deliveries under way, and moves everything",
        arguments: [1, 2, 3, 17, 64],
        [false, true]
    )
    func limits(deliveries: Int, isAtomic: Bool) async throws {
        let sink = CrowdedSink()
        let clock = WallClock()
        let random = SeededRandomSource(seed: 11)
        var settings = EngineSettings()
        settings.chunkRecordsMax = 1
        settings.deliveriesMax = deliveries
        settings.tick = .milliseconds(20)
        settings.longPoll = .milliseconds(200)
        var logger = Logger(label: "worker")
        logger.logLevel = .critical
        let context = EngineContext(
            backend: MemoryBackend(clock: clock).open(isAtomic: isAtomic),
            parts: CrowdedParts(sink: sink),
            settings: settings,
            clock: clock,
            random: random,
            logger: logger
        )
        let description = SourceDescription(fingerprint: "fixed")
        // Two destinations: each has a limit of its own, and both share the process's.
        var jobs: [Job] = []
        for index in ["first", "second"] {
            let job = Job(
                key: JobKey(systemAccountID: "local", indexName: index, id: JobID(now: clock.now, random: random)),
                reindexType: .post,
                concurrency: 2,
                source: "fixed:",
                sink: "crowded:",
                sourceDescription: description,
                now: clock.now
            )
            let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
            try await JobStore(context).create(job, match: match)
            jobs.append(job)
        }

        let schedule = TableSchedule(tables: context.backend.tables, clock: clock, owner: context.backend.owners.own)
        let worker = Worker(context, schedule: schedule)
        try await withThrowingTaskGroup { group in
            group.addTask { try await worker.run() }
            try await worker.waitUntilIdle()
            worker.stop.stop()
            try await group.waitForAll()
        }

        for job in jobs {
            let ended = try await JobStore(context).get(job.id)
            #expect(ended.status == .completed)
            #expect(ended.completedDocCount == FixedSource.delivered.count)
        }
        #expect(sink.delivered == FixedSource.delivered)
        #expect(sink.most <= deliveries, "\(sink.most) at once where \(deliveries) are allowed")
        if deliveries == 17 { #expect(sink.most > 1, "nothing was delivered at once with something else") }
    }
}

private struct CrowdedParts: JobParts {
    let sink: CrowdedSink

    func source(for job: Job) throws(JobError) -> any RecordSource { FixedSource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { sink }
    func destination(of job: Job) -> String? { nil }
    func checkSink(of job: Job) throws(JobError) {}
}

/// Counts who is there at once.
private final class CrowdedSink: RecordSink {
    private struct State {
        var present = 0
        var most = 0
        var delivered: Set<String> = []
    }

    private let state = Mutex(State())

    var most: Int { state.withLock(\.most) }
    var delivered: Set<String> { state.withLock(\.delivered) }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        state.withLock { state in
            state.present += 1
            state.most = max(state.most, state.present)
            for position in request.positions { state.delivered.insert(request.records.id(at: position) ?? "none") }
        }
        for _ in 0..<50 { await Task.yield() }
        state.withLock { $0.present -= 1 }
        return .answered(request.positions.map { _ in .completed })
    }
}
