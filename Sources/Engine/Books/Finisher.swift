// Finds what has come to an end: brings the job record's counters up to date, completes, pauses, cancels.
import Logging
import SluiceCore

/// The transition Finish of the books, and the ends of pausing and cancelling.
struct Finisher: Sendable {
    let context: EngineContext
    let cache: JobCache
    let sinks: SinkCache

    private var store: JobStore { JobStore(context) }

    /// Looks at one job, and does what is due.
    ///
    /// Safe to repeat, and from several processes at once.
    func check(_ key: JobKey) async throws {
        guard let job = try await store.get(key) else { return }
        switch job.status {
        case .cancelling:
            try await JobControl(context).finishCancelling(job)
            try await retire(job.key)
        case .pausing:
            let slices = try await context.slices(of: job.id)
            try await project(job, slices)
            try await endPausing(job, slices)
        case .inProgress:
            guard let slices = try await soundSlices(of: job) else { return }
            // Each of the three is stable once true, so the slices may be read in any order.
            if slices.count == job.concurrency, slices.allSatisfy({ $0.finished && $0.balance.isSettled }) {
                try await complete(job, store.sum(slices))
            } else {
                try await project(job, slices)
                try await watchBudget(job, store.sum(slices))
            }
        case .paused, .pending:
            try await project(job, try await context.slices(of: job.id))
        case .completedWithFailures:
            try await settleRedrive(job, try await context.slices(of: job.id))
        case .cancelled, .failed, .completed:
            try await retire(job)
        }
        cache.forget(job.id)
    }

    /// The slices of a job that runs; nil if somebody has spoilt one of them, and then the job is paused.
    private func soundSlices(of job: Job) async throws -> [SliceItem]? {
        let problem: String
        do throws(PortError) {
            let slices = try await context.slices(of: job.id)
            if let imbalance = store.imbalance(of: slices) {
                problem = "its books do not balance: \(imbalance)"
            } else if slices.map(\.index) != Array(0..<job.concurrency) {
                problem = "it has the slices \(slices.map(\.index)) and not \(job.concurrency) of them"
            } else {
                return slices
            }
        } catch {
            guard error.code == .invalidRequest else { throw error }
            problem = "its books can't be read: \(error.message)"
        }
        context.logger(for: job.id).error("the books are spoilt", metadata: ["reason": "\(problem)"])
        let reason = "\(problem); mend its slices in the table \(SliceItem.schema.name) and resume it, or cancel it"
        try await JobControl(context).pause(job.id, reason: reason, holdingDelivery: true)
        cache.forget(job.id)
        return nil
    }

    private func complete(_ job: Job, _ sheet: BalanceSheet) async throws {
        let next: JobStatus = sheet.deadLettered == 0 ? .completed : .completedWithFailures
        let dead =
            sheet.deadLettered == 1 ? "1 record is a dead letter" : "\(sheet.deadLettered) records are dead letters"
        let reason = sheet.deadLettered == 0 ? nil : dead
        do {
            guard try await assemble(job) else { return try await retire(job.key, isLate: true) }
        } catch {
            try await retire(job.key, isLate: true)
            throw error
        }
        // Where another process was quicker, it has cleared away before this one's output was put together.
        let changes = Job.projecting(sheet) + FinishClaim.release
        let isFirst = try await store.move(job, to: next, reason: reason, with: changes)
        try await retire(job.key, isLate: !isFirst)
    }

    /// After a redrive: the output gets what was delivered meanwhile, and the job completes once nothing is dead.
    private func settleRedrive(_ job: Job, _ slices: [SliceItem]) async throws {
        let sheet = store.sum(slices)
        guard isSound(slices, job), sheet != job.balance, sheet.isSettled else { return }
        if sheet.completed != job.completedDocCount { guard try await assemble(job) else { return } }
        if sheet.deadLettered == 0 {
            let changes = Job.projecting(sheet) + FinishClaim.release
            if try await store.move(job, to: .completed, reason: nil, with: changes) {
                try await retire(job.key)
            }
        } else {
            try await project(job, slices)
        }
    }

    /// Puts the output of an assembling sink together; false if it has to be tried again, or another process is at it.
    private func assemble(_ job: Job) async throws -> Bool {
        guard let sink = try sinks.sink(for: job) as? any AssemblingSink else { return true }
        let claim = FinishClaim(context: context, job: job)
        guard try await claim.take() else { return false }
        let spans = BookedSpans(claim)
        do {
            _ = try await sink.assemble { () throws(SinkError) in try await spans.next() }
            return true
        } catch {
            switch error {
            case .transient(let reason):
                context.logger(for: job.id).warning("output not put together yet", metadata: ["reason": "\(reason)"])
            case .stopped(let reason):
                guard job.status == .inProgress else { throw error }
                try await JobControl(context).pause(job.id, reason: reason)
            }
            return false
        }
    }

    private func endPausing(_ job: Job, _ slices: [SliceItem]) async throws {
        let claims = SliceClaims(context: context)
        for slice in slices where !slice.finished && slice.owner != nil {
            // An extractor of this process lets go by itself; only then the slice has no owner.
            guard slice.owner != context.backend.owners.own || (slice.leaseUntil ?? context.now) <= context.now,
                await claims.isFree(slice)
            else { return }
        }
        try await store.move(job, to: .paused, reason: job.statusReason)
    }

    private func watchBudget(_ job: Job, _ sheet: BalanceSheet) async throws {
        guard let text = job.failureBudget, try FailureBudget(text).isSpent(sheet) else { return }
        let reason =
            "failure budget \(text) spent: \(sheet.deadLettered) of \(sheet.extracted) records are dead letters; "
            + "look at `sluice dead-letters list \(job.id)`, raise the budget with `sluice job set` and resume"
        try await JobControl(context).pause(job.id, reason: reason, holdingDelivery: true)
    }

    /// Brings the record's counters up to date, unless its state has changed since it was read or they don't balance.
    private func project(_ job: Job, _ slices: [SliceItem]) async throws {
        let sheet = store.sum(slices)
        guard isSound(slices, job), sheet != job.balance else { return }
        let changes = Job.projecting(sheet) + [Job.updatedAt.set(context.now)]
        _ = try await context.jobs.updated(job.key, changes, if: Job.status == job.status)
    }

    private func isSound(_ slices: [SliceItem], _ job: Job) -> Bool {
        guard let imbalance = store.imbalance(of: slices) else { return true }
        context.logger(for: job.id).error("the books do not balance", metadata: ["reason": "\(imbalance)"])
        return false
    }

    /// Late is who may have left something after another process had cleared away.
    private func retire(_ key: ItemKey, isLate: Bool = false) async throws {
        guard let job = try await context.jobs.get(key) else { return }
        try await retire(job, isLate: isLate)
    }

    /// Removes what only a job that may go on needs, and then takes the job from the live ones.
    ///
    /// Until then it is looked at again, whoever moved it to its end and whatever became of them.
    private func retire(_ job: Job, isLate: Bool = false) async throws {
        guard job.live != nil || isLate, job.status.isFinal, job.status != .completedWithFailures else { return }
        do {
            if let sink = try sinks.sink(for: job) as? any AssemblingSink { try await sink.discardPlaces() }
        } catch let error as SinkError {
            guard case .stopped(let reason) = error else { throw error }
            // Trying again would not help: the job is at its end all the same.
            context.logger(for: job.id).warning(
                "what lies beside the output was left there",
                metadata: ["reason": "\(reason)"]
            )
        }
        sinks.forget(job.id)
        try await PayloadJanitor.removeAll(of: job.id, context)
        _ = try await context.jobs.updated(job.key, [Job.live.remove], if: Job.status == job.status)
    }
}
