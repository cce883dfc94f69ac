// A whole worker in memory: everything is moved, and never more at once than allowed.
import Logging
import MemoryDriver
import SluiceCore
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("The worker", .timeLimit(.minutes(10)))
struct WorkerTests {
    @Test(
        "keeps its limit of deliveries under way, and moves everything",
        arguments: [1, 2, 3, 17, 64],
        [false, true]
    )
    func limits(deliveries: Int, isAtomic: Bool) async throws {
        let sink = CrowdedSink()
        let context = context(CrowdedParts(sink: sink), deliveries: deliveries, isAtomic: isAtomic)
        // Two destinations: each has a limit of its own, and both share the process's.
        let jobs = try await [create("first", context), create("second", context)]
        try await workUntilIdle(context)
        for job in jobs {
            let ended = try await JobStore(context).get(job.id)
            #expect(ended.status == .completed)
            #expect(ended.completedDocCount == FixedSource.delivered.count)
        }
        #expect(sink.delivered == FixedSource.delivered)
        #expect(sink.most <= deliveries, "\(sink.most) at once where \(deliveries) are allowed")
        if deliveries == 17 { #expect(sink.most > 1, "nothing was delivered at once with something else") }
    }

    @Test("uses up no more than one receive of what it has in hand when it is cancelled", arguments: [false, true])
    func cancelled(isAtomic: Bool) async throws {
        let stuck = StuckSink()
        let backend = MemoryBackend(clock: WallClock())
        let halted = context(CrowdedParts(sink: stuck), backend: backend, deliveries: 4, isAtomic: isAtomic)
        let job = try await create("index", halted)
        let task = Task { try await worker(halted).run() }
        await stuck.reached()
        task.cancel()
        _ = await task.result

        let received = try await halted.backend.queues.replay.receive(limit: 100, invisible: .zero, wait: .zero)
        #expect(received.allSatisfy { $0.receiveCount <= 2 }, "\(received.map(\.receiveCount))")
        let dead = try await halted.backend.queues.replayDeadLetters.depth()
        #expect(dead.total == 0)

        let sink = CrowdedSink()
        let context = context(CrowdedParts(sink: sink), backend: backend, deliveries: 4, isAtomic: isAtomic)
        try await workUntilIdle(context)
        #expect(try await JobStore(context).get(job.id).status == .completed)
        #expect(sink.delivered == FixedSource.delivered)
    }

    @Test("extracts a job's slices although another job's launch failed in the same look")
    func launchFails() async throws {
        let sink = CrowdedSink()
        let plain = context(CrowdedParts(sink: sink), deliveries: 4, isAtomic: false)
        // Jobs are looked at in the order of their ids, which begin with their time.
        let first = try await create("first", plain, age: .seconds(60))
        try await Steps(plain).launch(first)
        let second = try await create("second", plain)
        let failed = Flag()
        let context = plain.hooked(tables: { (_, actions) throws(PortError) in
            guard actions.contains(where: { $0.schema.name == Job.schema.name && $0.key == second.key }) else { return }
            if failed.raise() { throw PortError(.timedOut, "the answer was lost") }
        })
        try await workUntilIdle(context)
        #expect(failed.isRaised)
        for job in [first, second] { #expect(try await JobStore(plain).get(job.id).status == .completed) }
    }

    @Test(
        "gives back all it has in hand at its end, although the backend refuses calls of cancelled tasks",
        arguments: End.allCases
    )
    func givesBack(end: End) async throws {
        let sink = StuckSink()
        let backend = MemoryBackend(clock: WallClock())
        let plain = context(CrowdedParts(sink: sink), backend: backend, deliveries: 4, isAtomic: false)
        _ = try await create("index", plain)
        let source = StuckSource()
        let slow = try await create("slow", plain, source: "stuck:")
        let context = context(
            CrowdedParts(sink: sink, stuckSource: source),
            backend: backend,
            deliveries: 4,
            isAtomic: false
        ).hooked(tables: refuseIfCancelled, replay: refuseIfCancelled)
        let worker = worker(context)
        let task = Task { try await worker.run() }
        await sink.reached()
        await source.reached()
        switch end {
        case .cancelled: task.cancel()
        case .stopped: worker.stop.stop()
        }
        _ = await task.result
        #expect(try await plain.backend.queues.replay.depth().invisible == 0)
        let slices = try await plain.slices(of: slow.id)
        #expect(slices.contains { $0.epoch > 0 })
        #expect(slices.allSatisfy { $0.owner == nil && $0.leaseUntil == nil })
    }

    enum End: CaseIterable { case cancelled, stopped }

    @Test("stops although a destination wants its receipts left alone for minutes")
    func stopsWhileHeld() async throws {
        let sink = RestingSink()
        let backend = MemoryBackend(clock: WallClock())
        let context = context(CrowdedParts(sink: sink), backend: backend, deliveries: 4, isAtomic: true)
        _ = try await create("index", context)
        // The first worker has everything accepted. The second one knows of no success when it is sent away.
        for wish in [RestingSink.Event.accepted, .askedInVain] {
            let worker = worker(context)
            let running = Task { try await worker.run() }
            await sink.reached(wish, count: wish == .accepted ? FixedSource.delivered.count : 1)
            worker.stop.stop()
            try await running.value
            sink.rests.withLock { $0 = true }
        }
    }

    private func context(
        _ parts: CrowdedParts,
        backend: MemoryBackend = MemoryBackend(clock: WallClock()),
        deliveries: Int,
        isAtomic: Bool
    ) -> EngineContext {
        var settings = EngineSettings()
        settings.chunkRecordsMax = 1
        settings.deliveriesMax = deliveries
        settings.tick = .milliseconds(20)
        settings.longPoll = .milliseconds(200)
        settings.lease = .milliseconds(200)
        settings.confirmInterval = .milliseconds(20)
        settings.grace = .milliseconds(20)
        settings.idleSettle = .zero
        var logger = Logger(label: "worker")
        logger.logLevel = .critical
        return EngineContext(
            backend: backend.open(isAtomic: isAtomic),
            parts: parts,
            settings: settings,
            random: SeededRandomSource(seed: 11),
            logger: logger
        )
    }

    private func create(
        _ index: String,
        _ context: EngineContext,
        source: String = "fixed:",
        age: Duration = .zero
    ) async throws -> Job {
        let description = SourceDescription(fingerprint: "fixed")
        let job = Job(
            key: JobKey(
                systemAccountID: "local",
                indexName: index,
                id: JobID(now: context.clock.now.advanced(by: .zero - age), random: context.random)
            ),
            reindexType: .post,
            concurrency: 2,
            source: source,
            sink: "crowded:",
            sourceDescription: description,
            now: context.clock.now
        )
        let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
        try await JobStore(context).create(job, match: match)
        return job
    }

    private func worker(_ context: EngineContext) -> Worker {
        let tables = context.backend.tables
        let owner = context.backend.owners.own
        return Worker(context, schedule: TableSchedule(tables: tables, clock: context.clock, owner: owner))
    }

    private func workUntilIdle(_ context: EngineContext) async throws {
        let worker = worker(context)
        try await withThrowingTaskGroup { group in
            group.addTask { try await worker.run() }
            try await worker.waitUntilIdle()
            worker.stop.stop()
            try await group.waitForAll()
        }
    }
}

private struct CrowdedParts: JobParts {
    let sink: any RecordSink
    var stuckSource = StuckSource()

    func source(for job: Job) throws(JobError) -> any RecordSource {
        job.source == "stuck:" ? stuckSource : FixedSource()
    }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { sink }
    func destination(of job: Job) -> String? { nil }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { true }
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

/// Says what it is, and then nothing until it is cancelled.
private final class StuckSource: RecordSource {
    private let arrivals = AsyncStream.makeStream(of: Void.self)

    func reached() async {
        for await _ in arrivals.stream { return }
    }

    func describe() async throws(SourceError) -> SourceDescription { SourceDescription(fingerprint: "fixed") }

    func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) {
        arrivals.continuation.yield()
        for await _ in AsyncStream<Never>.makeStream().stream {}
        throw .transient("cancelled", after: nil)
    }

    func locate(_ positions: [Int64]) async -> [String?] { positions.map { _ in nil } }
}

/// Raised once.
private final class Flag: Sendable {
    private let value = Mutex(false)

    var isRaised: Bool { value.withLock { $0 } }

    /// True for who raised it.
    func raise() -> Bool {
        value.withLock { value in
            defer { value = true }
            return !value
        }
    }
}

/// Takes what it is given and never answers, until it is cancelled.
private final class StuckSink: RecordSink {
    private let arrivals = AsyncStream.makeStream(of: Void.self)

    func reached() async {
        for await _ in arrivals.stream { return }
    }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        arrivals.continuation.yield()
        for await _ in AsyncStream<Never>.makeStream().stream {}
        return .unknown(reason: "cancelled", after: nil)
    }
}

/// Accepts everything, and says nothing of how it ended; later it does not even want to be asked.
private final class RestingSink: ConfirmingSink {
    enum Event: Equatable { case accepted, askedInVain }

    let rests = Mutex(false)
    private let events = AsyncStream.makeStream(of: Event.self)

    /// Returns when something has happened so often.
    func reached(_ wanted: Event, count: Int) async {
        var left = count
        for await event in events.stream where event == wanted {
            left -= 1
            if left == 0 { return }
        }
    }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        for _ in request.positions { events.continuation.yield(.accepted) }
        return .accepted(receipt: request.chunk.path)
    }

    func confirm(_ receipt: String, for request: ConfirmationRequest) async -> SluiceCore.Confirmation {
        guard rests.withLock({ $0 }) else { return .open }
        events.continuation.yield(.askedInVain)
        return .overloaded(reason: "429", after: .seconds(600))
    }
}
