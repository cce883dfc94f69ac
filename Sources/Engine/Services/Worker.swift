// A worker: everything that moves live jobs on, in one process, until it is told to stop or nothing is left to do.
import Logging
public import ServiceLifecycle
public import SluiceCore

/// All loops of the engine together.
public final class Worker: Service {
    public let context: EngineContext
    public let stop = StopSignal()
    private let cache: JobCache
    private let extraction: ExtractionService
    private let replay: ReplayService
    private let progress: ProgressService
    private let confirmer: Confirmer
    private let finish: FinishService
    private let rounds: HouseRounds
    private let schedule: any Schedule
    private let trigger: Trigger
    /// What the backend has to do for as long as this worker works.
    private let accompaniment: @Sendable () async -> Void

    /// - Parameters:
    ///   - context: where to work.
    ///   - schedule: says whose turn the slow work is.
    ///   - intake: makes jobs of bare records; without it they wait for somebody who can.
    ///   - upkeep: the backend's own slow work, such as removing what has expired.
    ///   - accompaniment: what the backend has to do for as long as this worker works.
    public init(
        _ context: EngineContext,
        schedule: any Schedule,
        intake: (any JobIntake)? = nil,
        upkeep: @escaping @Sendable () async throws -> Void = {},
        accompaniment: @escaping @Sendable () async -> Void = {}
    ) {
        self.context = context
        self.schedule = schedule
        self.accompaniment = accompaniment
        let cache = JobCache(context)
        let gate = Gate(context, cache: cache)
        let sinks = SinkCache(context)
        let deliverer = Deliverer(context: context, cache: cache, gate: gate, sinks: sinks)
        let finisher = Finisher(context: context, cache: cache, sinks: sinks)
        let finish = FinishService(context, finisher: finisher, stop: stop)
        self.cache = cache
        self.finish = finish
        let gauge = InFlightGauge(context)
        extraction = ExtractionService(context, cache: cache, gauge: gauge, stop: stop)
        replay = ReplayService(context, deliverer: deliverer, cache: cache, stop: stop)
        progress = ProgressService(
            context: context,
            booker: Booker(context: context),
            janitor: PayloadJanitor(context),
            stop: stop,
            booked: { job, landed in
                gauge.add(-landed, to: job.id)
                finish.booked(job)
            }
        )
        confirmer = Confirmer(context: context, cache: cache, sinks: sinks)
        rounds = HouseRounds(
            context,
            schedule: schedule,
            housekeeper: Housekeeper(context, gate: gate),
            intake: intake,
            upkeep: upkeep
        )
        trigger = Trigger(context: context, launcher: extraction, intake: intake, stop: stop)
    }

    /// Works until a stop is asked for, by `stop` or by a graceful shutdown; ends at checkpoints.
    ///
    /// A cancelled task, or a loop that fails, stops the other loops too: one that went on receiving in a cancelled task
    /// would use up the receives of messages that it can't handle.
    public func run() async throws {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { stop.stop() }
                group.addTask { try await self.trigger.run() }
                group.addTask { try await self.extraction.run() }
                group.addTask { try await self.replay.run() }
                group.addTask { try await self.progress.run() }
                group.addTask { try await self.confirm() }
                group.addTask { try await self.finish.run() }
                group.addTask { await self.keepHouse() }
                group.addTask { _ = try await self.stop.race { await self.accompaniment() } }
                try await group.waitForAll()
            }
        } onCancelOrGracefulShutdown: {
            self.stop.stop()
        }
    }

    /// Returns once no job is live but paused ones, and nothing is queued, hidden messages included.
    ///
    /// Where queues tell about how many messages they hold, it takes looks at nothing for as long as `idleSettle`, in which
    /// the books stand still too.
    public func waitUntilIdle() async throws {
        let settle = context.backend.atomic == nil ? context.settings.idleSettle : .zero
        var still: (books: Books, since: Timestamp)?
        while !stop.isStopping {
            if let books = try await lookForWork() {
                let now = context.now
                let since = still.flatMap { $0.books == books ? $0.since : nil } ?? now
                if since.duration(to: now) >= settle { return }
                still = (books, since)
            } else {
                still = nil
            }
            await stop.pause(max(Self.idleCheck, settle / 10), context.clock)
        }
    }

    private static let idleCheck: Duration = .milliseconds(200)
    private static let fullMax: Duration = .seconds(10)

    /// Whether one look finds nothing that is under way.
    func isIdle() async throws -> Bool {
        try await lookForWork() != nil
    }

    /// What the books of live jobs say.
    private typealias Books = [JobID: BalanceSheet]

    /// Nil if a look finds something under way, else the books that show by their changes what escapes a look.
    ///
    /// They are empty where nothing escapes one.
    private func lookForWork() async throws -> Books? {
        let isExact = context.backend.atomic != nil
        let store = JobStore(context)
        var (jobs, problems) = try await store.liveListing()
        guard !jobs.contains(where: Self.needsWork) else { return nil }
        // Nobody knows whether such a job is under way, so nobody may say that nothing is.
        if let problem = problems.first { throw PortError(.invalidRequest, problem) }
        // The index may lag. What it shows is enough to go on working, and not enough to stop.
        if !isExact { jobs = try await store.liveNow() }
        guard !jobs.contains(where: Self.needsWork) else { return nil }
        var books = Books()
        if !isExact { for job in jobs { books[job.id] = try await store.balance(of: job.id) } }
        // Deliveries that are held back wait for the resume, which nobody here will give.
        if jobs.contains(where: { $0.status == .paused && $0.holdsDelivery }) { return books }
        // In the order in which records go on: a place that was seen empty gets nothing from those after it.
        if try await context.backend.queues.replay.depth().total > 0 { return nil }
        let open = TableQuery(partition: ReceiptItem.openMark, index: ReceiptItem.openIndex.name, limit: 1)
        guard try await context.receipts.query(open).items.isEmpty else { return nil }
        return try await context.backend.queues.progress.depth().total == 0 ? books : nil
    }

    private static func needsWork(_ job: Job) -> Bool {
        switch job.status {
        case .pending, .inProgress, .pausing, .cancelling: true
        case .paused, .completedWithFailures: false
        // What they leave is still to be cleared away.
        case .cancelled, .failed, .completed: true
        }
    }

    /// - Throws: `PortError.outOfSpace` when nothing can be stored for `fullMax`: not even that jobs pause.
    private func confirm() async throws(PortError) {
        var fullSince: Timestamp?
        while !stop.isStopping {
            do {
                if try await schedule.isDue("confirm", every: context.settings.confirmInterval) {
                    // A poll may go through thousands of receipts, and wait as long as the destination asks for: a stop
                    // cuts it short, and whatever it had begun is begun again.
                    _ = try await stop.race { try await self.confirmer.poll() }
                    fullSince = nil
                }
            } catch let error as PortError where error.code == .outOfSpace {
                let since = fullSince ?? context.now
                fullSince = since
                guard since.duration(to: context.now) < Self.fullMax else { throw error }
            } catch {
                context.logger.warning("asking for confirmations failed; trying again", metadata: ["error": "\(error)"])
            }
            await stop.pause(context.settings.confirmInterval, context.clock)
        }
    }

    private func keepHouse() async {
        while !stop.isStopping {
            await rounds.go()
            await stop.pause(HouseRounds.interval, context.clock)
        }
    }
}
