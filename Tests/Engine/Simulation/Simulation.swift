// One world of the engine under a seed: workers, faults, an observer who checks the books after every step.
import Logging
import MemoryDriver
import SluiceCore
import Synchronization

@testable import SluiceEngine

/// What a simulated world is like.
struct WorldSettings: Sendable {
    enum Sink: String, Sendable, CaseIterable { case later, prompt, placing }
    enum Intervention: String, Sendable, CaseIterable { case none, pause, cancel }

    var seed: UInt64
    var slices = 2
    var pages = 3
    var sink = Sink.later
    var isAtomic = false
    var crashes = 2
    var stops = 1
    var rates = FaultRates(lostAnswers: 2, conflicts: 2, duplicates: 4)
    var switches = 30
    var intervention = Intervention.none
    /// What is wrong with the engine, if a test wants to see it found out.
    var mutant: Mutant?
}

/// Runs a world to its end and says what was wrong with it.
struct Simulation: Sendable {
    let settings: WorldSettings
    let scheduler: Scheduler
    let memory: MemoryBackend
    let context: EngineContext
    let sinks: SinkWorld
    let job: Job
    private let observer: Observer

    init(_ settings: WorldSettings) async throws {
        self.settings = settings
        var options = Scheduler.Options()
        options.switches = settings.switches
        options.crashes = settings.crashes
        options.stops = settings.stops
        let scheduler = Scheduler(seed: settings.seed, options: options)
        let clock = SimulatedClock(scheduler: scheduler)
        let memory = MemoryBackend(clock: clock)
        let sinks = SinkWorld(scheduler)
        let plain = memory.open(isAtomic: settings.isAtomic)
        let parts = SimulatedParts(settings: settings, world: sinks)
        var engine = EngineSettings()
        engine.chunkRecordsMax = 2
        engine.attemptsMax = 4
        engine.repairAfter = .seconds(600)
        // A worker of the simulation is one task.
        engine.confirmationsMax = 1
        // In every other world each chunk is read from the store, as by a process that did not cut it.
        if settings.seed % 2 == 0 { engine.recentPayloadBytesMax = 0 }
        func queue(_ base: any MessageQueue) -> SteppedQueue {
            SteppedQueue(base: base, scheduler: scheduler, faults: settings.rates)
        }
        let tables = settings.mutant.map { MutantTables(base: plain.tables, mutant: $0) as any TableStore }
        let stepped = Backend(
            tables: SteppedTables(base: tables ?? plain.tables, scheduler: scheduler, faults: settings.rates),
            queues: Queues(
                replay: queue(plain.queues.replay),
                replayDeadLetters: queue(plain.queues.replayDeadLetters),
                progress: queue(plain.queues.progress),
                progressDeadLetters: queue(plain.queues.progressDeadLetters)
            ),
            objects: SteppedObjects(base: plain.objects, scheduler: scheduler, faults: settings.rates),
            feed: plain.feed,
            owners: plain.owners,
            atomic: plain.atomic.map { SteppedAtomic(base: $0, scheduler: scheduler, faults: settings.rates) }
        )
        let random = SeededRandomSource(seed: settings.seed &+ 1)
        var logger = Logger(label: "simulation")
        logger.logLevel = .critical
        context = EngineContext(
            backend: stepped,
            parts: parts,
            settings: engine,
            clock: clock,
            random: random,
            logger: logger
        )
        let unstepped = EngineContext(
            backend: plain,
            parts: parts,
            settings: engine,
            clock: clock,
            random: random,
            logger: logger
        )
        let id = JobID(now: clock.now, random: random)
        var job = Job(
            key: JobKey(systemAccountID: "local", indexName: "index", id: id),
            reindexType: .post,
            concurrency: settings.slices,
            source: "shifting:",
            sink: "world:",
            sourceDescription: SourceDescription(fingerprint: "shifting"),
            now: clock.now
        )
        job.status = .inProgress
        job.launchNumber = 1
        job.startedAt = clock.now
        let match = SliceMatch.text(
            job: job,
            source: SourceDescription(fingerprint: "shifting"),
            transform: PlainTransform()
        )
        try await JobStore(unstepped).create(job, match: match)
        self.job = job
        self.scheduler = scheduler
        self.memory = memory
        self.sinks = sinks
        observer = Observer(context: unstepped, tables: plain.tables, job: job, sinks: sinks, sinkKind: settings.sink)
    }

    /// What was wrong, or nil.
    func run() async -> String? {
        let observer = observer
        let scheduler = scheduler
        // The memory driver's calls never suspend when they need not wait, so a look at the world is one piece.
        scheduler.watch { observer.look() }
        await withTaskGroup(of: Void.self) { group in
            for slice in 0..<settings.slices {
                // Two for each slice: when one is stopped in the middle, the other takes over under the next epoch.
                for copy in ["a", "b"] { spawn(&group, "extractor\(slice)\(copy)") { try await extract(slice) } }
            }
            for number in 0..<2 { spawn(&group, "replay\(number)") { try await replay() } }
            for number in 0..<2 { spawn(&group, "progress\(number)") { try await book() } }
            spawn(&group, "confirmer") { try await confirm() }
            spawn(&group, "finisher") { try await finish() }
            spawn(&group, "house") { try await keepHouse() }
            spawn(&group, "operator") { try await intervene() }
            await group.waitForAll()
        }
        if let problem = scheduler.verdict { return "\(problem); \(observer.summary)" }
        return await observer.final()
    }

    /// Starts a worker; if it crashes, a new one takes its place.
    private func spawn(
        _ group: inout TaskGroup<Void>,
        _ name: String,
        _ work: @escaping @Sendable () async throws -> Void
    ) {
        let scheduler = scheduler
        scheduler.begin()
        group.addTask {
            await Scheduler.$actor.withValue(name) {
                while scheduler.verdict == nil {
                    do {
                        try await work()
                        break
                    } catch {
                        scheduler.say("ends with \(error)")
                    }
                    // A new worker starts a moment later.
                    do { try await scheduler.sleep(until: scheduler.now.advanced(by: .seconds(1))) } catch { continue }
                }
                scheduler.end()
            }
        }
    }

    private func isOver() async throws -> Bool {
        guard let now = try await context.jobs.get(job.key) else { return true }
        // A job with failures is redriven until it has none; only places can't be mended.
        let isEnd = now.status.isFinal && (now.status != .completedWithFailures || settings.sink == .placing)
        guard isEnd, scheduler.isDraining else { return false }
        let queues = context.backend.queues
        let chunks = try await queues.replay.depth().total
        let events = try await queues.progress.depth().total
        return chunks + events == 0
    }

    private func rest(_ duration: Duration = .seconds(1)) async throws {
        // Towards the end there is only waiting for what comes late.
        let all = scheduler.isDraining ? max(duration, .seconds(20)) : duration
        try await scheduler.sleep(until: scheduler.now.advanced(by: all))
    }

    private func extract(_ index: Int) async throws {
        let claims = SliceClaims(context: context)
        let source = (context.parts as? SimulatedParts)?.source ?? ShiftingSource(pages: settings.pages)
        let match = SliceMatch.text(
            job: job,
            source: SourceDescription(fingerprint: "shifting"),
            transform: PlainTransform()
        )
        while !(try await isOver()) {
            if let slice = try await context.slices.get(SliceItem.key(job: job.id, index: index)),
                let now = try await context.jobs.get(job.key), now.status == .inProgress,
                let claimed = try await claims.claim(now, slice, match: match)
            {
                let extractor = Extractor(
                    context: context,
                    cache: JobCache(context),
                    gauge: InFlightGauge(context),
                    stop: StopSignal()
                )
                let end = try await extractor.extract(claimed, source: source, transform: PlainTransform())
                scheduler.say("slice \(index) epoch \(claimed.epoch): \(end)")
                if end == .stopped { try await claims.letGo(now, index, epoch: claimed.epoch) }
            }
            try await rest(.seconds(5))
        }
    }

    private func replay() async throws {
        let cache = JobCache(context)
        let deliverer = Deliverer(
            context: context,
            cache: cache,
            gate: Gate(context, cache: cache),
            sinks: SinkCache(context)
        )
        while !(try await isOver()) {
            let messages = try await context.backend.queues.replay.receive(
                limit: 1,
                invisible: .seconds(60),
                wait: .zero
            )
            for message in messages { try await deliverer.handle(message) }
            if messages.isEmpty { try await rest() }
        }
    }

    private func book() async throws {
        let service = ProgressService(
            context: context,
            booker: Booker(context: context),
            janitor: PayloadJanitor(context),
            stop: StopSignal(),
            booked: { _, _ in }
        )
        while !(try await isOver()) {
            let messages = try await context.backend.queues.progress.receive(
                limit: 1 + scheduler.pick(4),
                invisible: .seconds(60),
                wait: .zero
            )
            if messages.isEmpty { try await rest() } else { try await service.book(messages) }
        }
    }

    private func confirm() async throws {
        let cache = JobCache(context)
        let confirmer = Confirmer(context: context, cache: cache, sinks: SinkCache(context))
        while !(try await isOver()) {
            _ = try await confirmer.poll()
            try await rest()
        }
    }

    private func finish() async throws {
        let finisher = Finisher(context: context, cache: JobCache(context), sinks: SinkCache(context))
        while !(try await isOver()) {
            try await finisher.check(job.jobKey)
            try await rest()
        }
    }

    private func keepHouse() async throws {
        let house = Housekeeper(context, gate: Gate(context, cache: JobCache(context)))
        while !(try await isOver()) {
            _ = try await house.emptyDeadLetterQueues()
            try await house.repairStuck()
            try await rest(.seconds(300))
        }
    }

    /// Pauses or cancels somewhere, resumes, redrives at the end; then lets the world come to rest.
    private func intervene() async throws {
        let control = JobControl(context)
        try await rest(.seconds(1 + scheduler.pick(12)))
        do {
            switch settings.intervention {
            case .none: break
            case .pause:
                try await control.pause(job.id)
                try await rest(.seconds(40))
                try await control.resume(job.id)
            case .cancel:
                try await control.cancel(job.id)
            }
        } catch let refused as JobError {
            scheduler.say("refused: \(refused)")
        }
        if let now = try await context.jobs.get(job.key), now.status == .pending { try await relaunch(now) }
        try await rest(.seconds(120))
        scheduler.drain()
        while true {
            guard let now = try await context.jobs.get(job.key) else { return }
            if now.status == .paused { try await control.resume(job.id) }
            if now.status == .pending { try await relaunch(now) }
            if now.status == .completedWithFailures, settings.sink != .placing {
                sinks.state.withLock { $0.isMended = true }
                // Twice: a redrive is at least once too.
                _ = try await DeadLetters(context).redrive(job.id)
                _ = try await DeadLetters(context).redrive(job.id)
                try await rest(.seconds(60))
            }
            if try await isOver() { return }
            try await rest(.seconds(60))
        }
    }

    private func relaunch(_ now: Job) async throws {
        _ = try await context.jobs.updated(
            now.key,
            [Job.status.set(.inProgress), Job.launchNumber.set(now.launchNumber + 1), Job.startedAt.set(context.now)],
            if: Job.status == .pending
        )
    }
}

/// The parts of a simulated job.
struct SimulatedParts: JobParts {
    let settings: WorldSettings
    let world: SinkWorld
    let source: ShiftingSource
    private let segments = Segments()

    final class Segments: Sendable {
        let count = Mutex(0)
    }

    init(settings: WorldSettings, world: SinkWorld) {
        self.settings = settings
        self.world = world
        source = ShiftingSource(pages: settings.pages)
    }

    func source(for job: Job) throws(JobError) -> any RecordSource { source }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }

    func sink(for job: Job) throws(JobError) -> any RecordSink {
        switch settings.sink {
        case .later: return LaterSink(world: world, faults: settings.rates.lostAnswers > 0)
        case .prompt: return PromptSink(world: world, faults: settings.rates.lostAnswers > 0)
        case .placing:
            let number = segments.count.withLock { count in
                count += 1
                return count
            }
            return PlacingSink(world: world, segment: "segment\(number)", faults: settings.rates.lostAnswers > 0)
        }
    }

    func destination(of job: Job) -> String? { "world" }
    func checkSink(of job: Job) throws(JobError) {}
}
