// What an operator can do to a job: pause, resume, cancel, change its settings.
import Logging
public import SluiceCore

/// Each call states its wish durably and returns; workers act on it, in this process or another.
public struct JobControl: Sendable {
    let context: EngineContext
    let store: JobStore

    public init(_ context: EngineContext) {
        self.context = context
        store = JobStore(context)
    }

    /// Asks a job to stop extracting at its next checkpoint.
    ///
    /// Chunks already queued drain, and confirmations go on.
    ///
    /// - Throws: `JobError.move` if it can't be paused.
    @discardableResult
    public func pause(_ id: JobID, reason: String? = nil, holdingDelivery: Bool = false) async throws -> Job {
        try await change(id) { job in
            if job.status == .paused || job.status == .pausing { return nil }
            // Nobody works on a pending job, so it is paused at once.
            let next: JobStatus = job.status == .pending ? .paused : .pausing
            return (next, reason, [Job.holdsDelivery.set(holdingDelivery)])
        }
    }

    /// Makes a paused job pending again, or one that is still pausing; a worker goes on from its checkpoints.
    ///
    /// - Throws: `JobError.move` if it is neither.
    @discardableResult
    public func resume(_ id: JobID) async throws -> Job {
        try await change(id) { job in
            (.pending, nil, [Job.holdsDelivery.set(false)])
        }
    }

    /// Ends a job now: closes every slice, so that nothing more is extracted, and drops what is queued.
    ///
    /// What was under way stays "not delivered or unknown" in the final sheet, and may still reach the sink. A cancel
    /// cut short is taken to its end by any worker.
    ///
    /// - Throws: `JobError.move` if the job is at its end.
    @discardableResult
    public func cancel(_ id: JobID) async throws -> Job {
        let job = try await change(id) { job in
            job.status == .cancelling ? nil : (.cancelling, nil, [])
        }
        try await finishCancelling(job)
        return try await store.get(id)
    }

    /// Closes the slices of a cancelling job and ends it.
    ///
    /// Safe to repeat, and from several processes at once.
    func finishCancelling(_ job: Job) async throws {
        for index in 0..<job.concurrency { try await close(SliceItem.key(job: job.id, index: index)) }
        let (slices, problems) = try await context.readableSlices(of: job.id)
        let sheet = store.sum(slices)
        guard let current = try await store.get(job.jobKey), current.status == .cancelling else { return }
        let open = sheet.inFlight &+ sheet.awaiting
        var reasons = open == 0 ? [] : ["\(open) records were not delivered, or it is unknown whether they were"]
        // Spoilt books must not keep anybody from ending the job, and must not look sound either.
        if let problem = problems.first { reasons.append("its books can't be read: \(problem)") }
        if let imbalance = store.imbalance(of: slices) { reasons.append("its books do not balance: \(imbalance)") }
        let reason = reasons.isEmpty ? nil : reasons.joined(separator: "; ")
        try await store.move(current, to: .cancelled, reason: reason, with: Job.projecting(sheet))
    }

    /// Takes a slice under one more epoch and closes it: nothing older can commit, nothing newer can claim.
    private func close(_ key: ItemKey) async throws(PortError) {
        while true {
            let slice: SliceItem?
            do throws(PortError) {
                slice = try await context.retrying { () throws(PortError) in try await context.slices.get(key) }
            } catch {
                guard error.code == .invalidRequest else { throw error }
                return try await closeUnread(key)
            }
            guard let slice, !slice.closed else { return }
            let changes = [
                SliceItem.epoch.set(slice.epoch + 1), SliceItem.closed.set(true),
                SliceItem.owner.remove, SliceItem.leaseUntil.remove,
            ]
            // Refused or unknown: the slice is read again, and closed unless it is.
            _ = try await context.retrying { () throws(PortError) in
                try await context.slices.updated(key, changes, if: SliceItem.epoch == slice.epoch)
            }
        }
    }

    /// Closes a slice that can't be read, for once it is mended.
    ///
    /// Where not even that can be written, nobody can commit to it either, and the job's state ends the rest.
    private func closeUnread(_ key: ItemKey) async throws(PortError) {
        do throws(PortError) {
            try await context.retrying { () throws(PortError) in
                _ = try await context.slices.updated(key, [SliceItem.closed.set(true)], if: .itemExists)
            }
        } catch {
            guard error.code == .invalidRequest else { throw error }
            context.logger.error(
                "a spoilt slice was not closed",
                metadata: ["slice": "\(key)", "error": "\(error.message)"]
            )
        }
    }

    /// The settings that can be changed while a job runs; they take effect within a second and are stored.
    public struct Settings: Sendable {
        /// Records a second over all workers; `.some(nil)` for unlimited.
        public var rate: Double??
        /// Deliveries at once in each worker, 1 to 256; `.some(nil)` to let each find out.
        public var deliveryConcurrency: Int??
        public var failureBudget: String??
        public var onBadRecord: Job.BadRecordRule?

        public init() {}
    }

    /// - Throws: `JobError.field` if a value is out of range, `JobError.move` if the job is at its end.
    @discardableResult
    public func set(_ id: JobID, _ settings: Settings) async throws -> Job {
        try JobRules.check(rate: settings.rate ?? nil, deliveryConcurrency: settings.deliveryConcurrency ?? nil)
        if let budget = settings.failureBudget ?? nil { _ = try FailureBudget(budget) }
        let job = try await store.get(id)
        guard !job.status.isFinal else {
            throw JobError.field(
                "reindex_id",
                "job \(id) is \(job.status); only a job that is not at its end has settings to change"
            )
        }
        var changes: [AttributeChange] = [Job.updatedAt.set(context.now)]
        if let rate = settings.rate { changes.append(rate.map(Job.rate.set) ?? Job.rate.remove) }
        if let limit = settings.deliveryConcurrency {
            changes.append(limit.map(Job.deliveryConcurrency.set) ?? Job.deliveryConcurrency.remove)
        }
        if let budget = settings.failureBudget {
            changes.append(budget.map(Job.failureBudget.set) ?? Job.failureBudget.remove)
        }
        if let rule = settings.onBadRecord { changes.append(Job.onBadRecord.set(rule.rawValue)) }
        let all = changes
        try await context.retrying { () throws(PortError) in
            try await context.jobs.update(job.key, all, if: .itemExists)
        }
        return try await store.get(id)
    }

    /// Reads, decides and moves until the move is made on what was read; nil means that nothing is left to do.
    private func change(
        _ id: JobID,
        _ decide: (Job) throws -> (JobStatus, String?, [AttributeChange])?
    ) async throws -> Job {
        while true {
            let job = try await store.get(id)
            guard let (next, reason, changes) = try decide(job) else { return job }
            if try await store.move(job, to: next, reason: reason, with: changes) { return try await store.get(id) }
        }
    }
}
