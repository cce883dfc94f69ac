// The engine as functions that a platform calls: with changes, with messages, and once a minute.
import Logging
public import SluiceCore
import Synchronization

/// What a worker does in loops, a call at a time.
///
/// Nothing is received here: the platform does that, deletes what a call has dealt with, and hands in the rest again. Every
/// call may be made twice with the same, and while others are under way, in this process and elsewhere.
public final class Functions: Sendable {
    private let context: EngineContext
    private let replayQueue: HandedQueue
    private let progressQueue: HandedQueue
    private let replay: ReplayService
    private let progress: ProgressService
    private let trigger: Trigger?
    private let confirmer: Confirmer
    private let finisher: Finisher
    private let rounds: HouseRounds
    private let watch: LaunchWatch?
    private let touched: TouchedJobs

    /// - Parameters:
    ///   - context: whose queues are those that messages are handed in from.
    ///   - launcher: starts extractions, which do not run here; without one, workers do by themselves.
    ///   - intake: makes jobs of bare records.
    ///   - schedule: says whose turn the slow work is.
    public init(
        _ context: EngineContext,
        launcher: (any Launcher)?,
        intake: any JobIntake,
        schedule: any Schedule
    ) {
        let backend = context.backend
        replayQueue = HandedQueue(backend.queues.replay)
        progressQueue = HandedQueue(backend.queues.progress)
        let context = context.on(
            // Deleting what was handed in is not ours, so it can be in no transaction.
            backend.replacing(replay: replayQueue, progress: progressQueue, isAtomic: false)
        )
        self.context = context
        let cache = JobCache(context)
        let gate = Gate(context, cache: cache)
        let sinks = SinkCache(context)
        let stop = StopSignal()
        let touched = TouchedJobs()
        self.touched = touched
        let deliverer = Deliverer(context: context, cache: cache, gate: gate, sinks: sinks)
        replay = ReplayService(context, deliverer: deliverer, cache: cache, stop: stop)
        progress = ProgressService(
            context: context,
            booker: Booker(context: context),
            janitor: PayloadJanitor(context),
            stop: stop,
            booked: { job, _ in touched.add(job) }
        )
        trigger = launcher.map { Trigger(context: context, launcher: $0, intake: intake, stop: stop) }
        confirmer = Confirmer(context: context, cache: cache, sinks: sinks)
        finisher = Finisher(context: context, cache: cache, sinks: sinks)
        rounds = HouseRounds(context, schedule: schedule, housekeeper: Housekeeper(context, gate: gate), intake: intake)
        watch = launcher.map { LaunchWatch(context: context, launcher: $0) }
    }

    /// Launches the jobs that changes made pending, if there is a launcher.
    ///
    /// - Returns: where among the changes those are that have to come again.
    public func launch(_ changes: [TableChange], until end: Timestamp) async -> [Int] {
        let failed = Mutex<[Int]>([])
        await within(end) {
            for (place, change) in changes.enumerated() {
                do {
                    try await self.trigger?.handle(change)
                } catch let error as PortError where error.code == .invalidRequest {
                    // It would never be otherwise, and must not hold up the changes behind it.
                    self.context.logger.error(
                        "a change of the job table can't be taken on",
                        metadata: ["key": "\(change.key)", "error": "\(error)"]
                    )
                } catch {
                    self.context.logger.warning(
                        "a job was not launched; its change comes again",
                        metadata: ["key": "\(change.key)", "error": "\(error)"]
                    )
                    failed.withLock { $0.append(place) }
                }
            }
        }
        return failed.withLock { $0 }
    }

    /// Delivers chunks; what is not done by `end` is put off.
    ///
    /// - Returns: the messages that have to come again.
    public func deliver(_ messages: [ReceivedMessage], until end: Timestamp) async -> Set<MessageReceipt> {
        await replayQueue.hand(messages) {
            await within(end) {
                await withTaskGroup { group in
                    for message in messages { group.addTask { await self.replay.handle(message, whenCut: .postpone) } }
                }
            }
        }
    }

    /// Books progress events and looks whether their jobs have come to an end.
    ///
    /// - Returns: the messages that have to come again.
    public func book(_ messages: [ReceivedMessage], until end: Timestamp) async -> Set<MessageReceipt> {
        await progressQueue.hand(messages) {
            await within(end) {
                do {
                    try await self.progress.book(messages)
                } catch {
                    self.context.logger.warning("booking failed; events come again", metadata: ["error": "\(error)"])
                }
                await self.finish(self.touched.take())
            }
        }
    }

    /// Asks for confirmations, looks after live jobs and their launches, and does what is due of the slow work.
    ///
    /// Asking takes as long as those who are asked take, so it gets what time the rest leaves, and half of that at most.
    ///
    /// - Throws: if confirmations could not be asked for, or jobs can't be read; the rest was done all the same.
    public func tick(until end: Timestamp) async throws {
        let failure = Mutex<(any Error)?>(nil)
        await within(end) {
            do { try await self.lookAfterJobs() } catch { failure.withLock { $0 = error } }
        }
        let left = max(.zero, context.now.duration(to: end))
        await within(context.now.advanced(by: left / 2)) {
            do {
                _ = try await self.confirmer.poll()
            } catch {
                // It goes on with the next tick.
                guard !Task.isCancelled else {
                    self.context.logger.warning("asking for confirmations took too long, and was cut off")
                    return
                }
                failure.withLock { $0 = error }
            }
        }
        await within(end) { await self.rounds.go() }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// - Throws: if jobs can't be looked for, or the record of one can't be read; the others were looked after.
    private func lookAfterJobs() async throws {
        let (live, problems) = try await JobStore(context).liveListing()
        for job in live {
            do {
                try await watch?.look(after: job)
            } catch {
                context.logger(for: job.id).warning(
                    "the job's launch could not be looked after; trying again",
                    metadata: ["error": "\(error)"]
                )
            }
        }
        await finish(live.map(\.jobKey))
        if let problem = problems.first { throw PortError(.invalidRequest, problem) }
    }

    private func finish(_ jobs: some Sequence<JobKey>) async {
        for key in jobs {
            do {
                try await finisher.check(key)
            } catch {
                context.logger(for: key.id).warning(
                    "the job's end could not be settled yet",
                    metadata: ["error": "\(error)"]
                )
            }
        }
    }

    /// Does some work, and cancels it at `end`; returns when it has heard of that.
    private func within(_ end: Timestamp, _ work: @escaping @Sendable () async -> Void) async {
        let clock = context.clock
        await withTaskGroup { group in
            group.addTask { await work() }
            group.addTask {
                // Cancelled when the work is done first; either way the wait is over.
                do { try await clock.sleep(until: end, tolerance: nil) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Jobs whose books have moved since they were last looked at.
private final class TouchedJobs: Sendable {
    private let jobs = Mutex<Set<JobKey>>([])

    func add(_ job: JobKey) {
        jobs.withLock { _ = $0.insert(job) }
    }

    func take() -> Set<JobKey> {
        jobs.withLock { jobs in
            defer { jobs = [] }
            return jobs
        }
    }
}
