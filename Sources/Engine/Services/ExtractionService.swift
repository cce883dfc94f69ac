// Extracts the slices of live jobs in this process: claims what is free, as long as there is room.
import Logging
public import SluiceCore
import Synchronization

/// Runs extractions of this process.
///
/// It is also the in-process launcher: a launch makes the job in progress.
public final class ExtractionService: Launcher {
    let context: EngineContext
    let cache: JobCache
    private let gauge: InFlightGauge
    private let stop: StopSignal
    /// The only launch whose slices are read here; nil for those of all live jobs.
    private let only: Launch?
    private let bell = Bell()
    private let state = Mutex(State())

    private struct State {
        var running: Set<SliceID> = []
        var launches: Set<String> = []
        /// Slices that failed for now, and when they may be tried again.
        var resting: [SliceID: Timestamp] = [:]
        var openSources: [JobID: OpenSource] = [:]
        /// Sources that can't be opened for now: how often they failed, and when they may be tried again.
        var failures: [JobID: (count: Int, until: Timestamp)] = [:]
    }

    /// What a launch of a job reads from and with.
    private struct OpenSource {
        let launchNumber: Int
        let source: any RecordSource
        let transform: any RecordTransform
        let match: String
    }

    private struct SliceID: Hashable {
        let job: JobID
        let index: Int
    }

    init(
        _ context: EngineContext,
        cache: JobCache,
        gauge: InFlightGauge,
        stop: StopSignal,
        only: Launch? = nil
    ) {
        self.only = only
        self.context = context
        self.cache = cache
        self.gauge = gauge
        self.stop = stop
    }

    /// Makes a pending job in progress under the launch's number, and begins with its slices.
    public func launch(_ launch: Launch) async throws(PortError) -> Bool {
        guard state.withLock({ $0.launches.insert(launch.name).inserted }) else { return false }
        let changes = [
            Job.status.set(.inProgress), Job.launchNumber.set(launch.number), Job.startedAt.set(context.now),
            Job.updatedAt.set(context.now), Job.statusReason.remove,
        ]
        let pending = Job.status == .pending && Job.launchNumber == launch.number - 1
        do {
            try await context.jobs.update(launch.job.itemKey, changes, if: pending)
        } catch {
            // A job that is paused before anybody has begun with it is launched again under the same number.
            state.withLock { _ = $0.launches.remove(launch.name) }
            // Launched elsewhere, or no longer pending: both are what was asked for.
            guard error.code == .conditionFailed else { throw error }
            return false
        }
        cache.forget(launch.job.id)
        bell.ring()
        return true
    }

    /// Looks for slices again soon.
    func poke() {
        bell.ring()
    }

    /// Extracts until a stop is asked for; then ends at the slices' next checkpoints, but within the grace period.
    ///
    /// A page that is still on its way by then is dropped, for nothing of it is committed.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.extractUntilStopped() }
            group.addTask {
                await self.stop.wait()
                // Cancelled when all slices have ended; either way the wait is over.
                do { try await self.context.pause(self.context.settings.grace) } catch { return }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func extractUntilStopped() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            while !stop.isStopping {
                do {
                    for work in try await findWork() {
                        group.addTask { await self.extract(work) }
                    }
                } catch {
                    context.logger.warning("looking for slices failed; trying again", metadata: ["error": "\(error)"])
                }
                await bell.wait(atMost: context.settings.tick, clock: context.clock, stop: stop)
            }
        }
    }

    private struct Work: Sendable {
        let job: Job
        let slice: SliceItem
        let source: any RecordSource
        let transform: any RecordTransform
        let match: String
    }

    private func findWork() async throws -> [Work] {
        var found: [Work] = []
        let live = try await jobs()
        forgetSources(except: live)
        for job in live {
            if job.status == .pending {
                await launch(job)
                continue
            }
            guard job.status == .inProgress, mayOpen(job) else { continue }
            do {
                found += try await findWork(in: job)
            } catch SourceError.transient(let reason, let after) {
                await handle(noteFailure(of: job, reason, after), job: job, slice: nil)
            } catch {
                await handle(error, job: job, slice: nil)
            }
        }
        return found
    }

    /// The jobs whose slices are read here.
    private func jobs() async throws -> [Job] {
        guard let only else { return try await JobStore(context).live() }
        guard let job = try await JobStore(context).get(only.job) else { return [] }
        let isOurs = job.status == .pending ? job.launchNumber == only.number - 1 : job.launchNumber == only.number
        return isOurs ? [job] : []
    }

    /// Fails for itself alone: what was found for other jobs is taken already.
    private func launch(_ job: Job) async {
        do {
            _ = try await launch(Launch(job: job.jobKey, number: job.launchNumber + 1))
        } catch {
            context.logger(for: job.id).warning("a launch failed; trying again", metadata: ["error": "\(error)"])
        }
    }

    private func findWork(in job: Job) async throws -> [Work] {
        let claims = SliceClaims(context: context)
        var candidates: [SliceItem] = []
        for slice in try await context.slices(of: job.id) where !slice.finished && !slice.closed {
            if await claims.isFree(slice), take(SliceID(job: job.id, index: slice.index)) { candidates.append(slice) }
        }
        guard !candidates.isEmpty else { return [] }
        do {
            let open = try await open(job)
            return candidates.map {
                Work(job: job, slice: $0, source: open.source, transform: open.transform, match: open.match)
            }
        } catch {
            for slice in candidates { giveBack(SliceID(job: job.id, index: slice.index)) }
            throw error
        }
    }

    /// Opened once for each launch; what it finds then holds for all slices.
    private func open(_ job: Job) async throws -> OpenSource {
        if let open = state.withLock({ $0.openSources[job.id] }), open.launchNumber == job.launchNumber { return open }
        let source = try context.parts.source(for: job)
        let transform = try context.parts.transform(for: job)
        let description = try await source.describe()
        let open = OpenSource(
            launchNumber: job.launchNumber,
            source: source,
            transform: transform,
            match: SliceMatch.text(job: job, source: description, transform: transform)
        )
        state.withLock { state in
            state.openSources[job.id] = open
            state.failures[job.id] = nil
        }
        return open
    }

    private func forgetSources(except live: [Job]) {
        let ids = Set(live.filter { $0.status == .inProgress }.map(\.id))
        state.withLock { state in
            state.openSources = state.openSources.filter { ids.contains($0.key) }
            state.failures = state.failures.filter { ids.contains($0.key) }
        }
    }

    private func mayOpen(_ job: Job) -> Bool {
        let now = context.now
        return state.withLock { ($0.failures[job.id]?.until ?? now) <= now }
    }

    /// What a source that failed transiently comes to: another try later, or a job that pauses.
    private func noteFailure(of job: Job, _ reason: String, _ after: Duration?) -> SourceError {
        let settings = context.settings
        let now = context.now
        let count = state.withLock { state in
            let count = (state.failures[job.id]?.count ?? 0) + 1
            let wait = max(after ?? .zero, settings.backoff.delay(afterAttempt: count, random: context.random))
            state.failures[job.id] = (count, now.advanced(by: wait))
            return count
        }
        guard count >= settings.attemptsMax else { return .transient(reason, after: after) }
        return .stopped("the source failed \(count) times: \(reason)")
    }

    private func take(_ id: SliceID) -> Bool {
        let now = context.now
        return state.withLock { state in
            if let until = state.resting[id] {
                guard until <= now else { return false }
                state.resting[id] = nil
            }
            guard state.running.count < context.settings.slicesAtOnce else { return false }
            return state.running.insert(id).inserted
        }
    }

    private func giveBack(_ id: SliceID, restUntil: Timestamp? = nil) {
        state.withLock { state in
            state.running.remove(id)
            state.resting[id] = restUntil
        }
        bell.ring()
    }

    private func extract(_ work: Work) async {
        let id = SliceID(job: work.job.id, index: work.slice.index)
        var restUntil: Timestamp?
        do {
            try await extractClaimed(work)
        } catch {
            await handle(error, job: work.job, slice: work.slice.index)
            restUntil = context.now.advanced(by: context.settings.tick)
        }
        giveBack(id, restUntil: restUntil)
    }

    private func extractClaimed(_ work: Work) async throws {
        let claims = SliceClaims(context: context)
        guard let claimed = try await claims.claim(work.job, work.slice, match: work.match) else { return }
        let extractor = Extractor(context: context, cache: cache, gauge: gauge, stop: stop)
        let end: ExtractionEnd
        do {
            end = try await withThrowingTaskGroup(of: ExtractionEnd.self) { group in
                group.addTask {
                    try await extractor.extract(claimed, source: work.source, transform: work.transform)
                }
                group.addTask { try await self.keepLease(claimed, claims) }
                defer { group.cancelAll() }
                return try await group.next() ?? .stopped
            }
        } catch {
            try await letGo(claimed, claims)
            throw error
        }
        if end == .stopped { try await letGo(claimed, claims) }
    }

    private func letGo(_ claimed: ClaimedSlice, _ claims: SliceClaims) async throws(PortError) {
        try await context.evenIfCancelled { () throws(PortError) in
            try await claims.letGo(claimed.job, claimed.index, epoch: claimed.epoch)
        }
    }

    /// Renews the lease until cancelled, or until another epoch has the slice.
    private func keepLease(_ claimed: ClaimedSlice, _ claims: SliceClaims) async throws -> ExtractionEnd {
        while true {
            try await context.pause(context.settings.lease / 2)
            do {
                guard try await claims.renew(claimed.job, claimed.index, epoch: claimed.epoch) else { return .fenced }
            } catch {
                guard error.isRetryable else { throw error }
                context.logger(for: claimed.job.id).warning("lease not renewed yet", metadata: ["error": "\(error)"])
            }
        }
    }

    /// What an error means for the job: paused if somebody outside can mend it, failed if nobody can, else tried again.
    private func handle(_ error: any Error, job: Job, slice: Int?) async {
        var logger = context.logger(for: job.id)
        if let slice { logger[metadataKey: "slice"] = "\(slice)" }
        do {
            switch error {
            case SourceError.stopped(let reason):
                try await JobControl(context).pause(job.id, reason: reason)
            case let bad as BadRecord:
                try await JobControl(context).pause(job.id, reason: bad.description)
            case SourceError.changed(let reason):
                try await fail(job, reason)
            case JobError.mismatch(let problem):
                try await fail(job, problem)
            case let wrong as JobError:
                // Such as a key that this process does not have: somebody can mend it, and nothing is lost meanwhile.
                try await JobControl(context).pause(job.id, reason: wrong.description)
            case let port as PortError where port.code == .outOfSpace || port.code == .unauthorized:
                try await JobControl(context).pause(job.id, reason: port.description)
            case is CancellationError:
                return
            default:
                logger.warning("extraction failed; it goes on from its checkpoint", metadata: ["error": "\(error)"])
            }
            cache.forget(job.id)
        } catch {
            // The job may have moved on by itself; if not, the same failure comes again and is handled then.
            logger.warning("a failure could not be stored in the job", metadata: ["error": "\(error)"])
        }
    }

    private func fail(_ job: Job, _ reason: String) async throws {
        let store = JobStore(context)
        while let current = try await store.get(job.jobKey), current.status.successors.contains(.failed) {
            let sheet = try await store.balance(of: job.id)
            if try await store.move(current, to: .failed, reason: reason, with: Job.projecting(sheet)) { return }
        }
    }
}
