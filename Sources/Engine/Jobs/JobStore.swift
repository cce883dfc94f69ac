// Jobs as they are created, found and moved from state to state.
import Logging
public import SluiceCore

/// The job records and the claims on destinations that go with them.
public struct JobStore: Sendable {
    let context: EngineContext

    public init(_ context: EngineContext) {
        self.context = context
    }

    /// Creates a job: its record, its slices and its claim on the destination, all or nothing.
    ///
    /// Durable on return; the change feed then shows a pending job.
    ///
    /// - Throws: `JobError.destinationBusy` naming the live job that writes there; `PortError`.
    public func create(_ job: Job, match: String) async throws {
        let first = try claiming(job)
        // A job can have more slices than a transaction has room for. The record comes last, so that a creation cut
        // short leaves slices that belong to no job, and never a job without its slices.
        let slices = (0..<job.concurrency).map { SliceItem(job: job.id, index: $0, match: match) }
        for start in stride(from: 0, to: slices.count, by: TableLimits.actionsPerTransaction) {
            let some = slices[start..<min(start + TableLimits.actionsPerTransaction, slices.count)]
            var actions: [TableAction] = []
            for slice in some { actions.append(try Table<SliceItem>.putting(slice)) }
            let batch = actions
            try await context.retrying { () throws(PortError) in try await context.backend.tables.writeEach(batch) }
        }
        try await write(first + [try Table<Job>.putting(job, if: .itemAbsent)], creating: job)
    }

    /// Creates the job that a bare record asked for, in its place; what else the record says stays in it.
    ///
    /// Others may be doing the same.
    ///
    /// - Throws: as `create`.
    func adopt(_ plan: PlannedJob) async throws {
        let job = plan.job
        for index in 0..<job.concurrency {
            // One that is there already may have been read from since.
            let slice = try Table<SliceItem>.putting(
                SliceItem(job: job.id, index: index, match: plan.match),
                if: .itemAbsent
            )
            try await context.retrying { () throws(PortError) in
                do throws(PortError) {
                    try await context.backend.tables.transact([slice])
                } catch {
                    guard error.code == .conditionFailed else { throw error }
                }
            }
        }
        var changes: [AttributeChange] = []
        for (name, value) in try job.attributes() where name != Job.schema.partitionKey && name != Job.schema.sortKey {
            changes.append(.set(name, value))
        }
        let whole = Table<Job>.updating(job.key, changes, if: Job.isBareAndPending)
        try await write(try claiming(job) + [whole], creating: job)
    }

    private func claiming(_ job: Job) throws(PortError) -> [TableAction] {
        guard let destination = context.parts.destination(of: job) else { return [] }
        let claim = DestinationClaim(destination: destination, job: job.jobKey)
        return [try Table<DestinationClaim>.putting(claim, if: .itemAbsent)]
    }

    private func write(_ actions: [TableAction], creating job: Job) async throws {
        switch try await context.write(actions) {
        case .applied:
            return
        case .refused:
            if let claim = try await foreignClaim(for: job) {
                guard try await freed(claim) else {
                    throw JobError.destinationBusy(destination: claim.destination, job: claim.job)
                }
                return try await write(actions, creating: job)
            }
            // The claim is our own: the transaction had been applied before its answer was lost.
            guard try await exists(job) else {
                throw PortError(.conflict, "job \(job.id) was not created, for its claims were refused")
            }
        case .unknown(let error):
            guard try await exists(job) else { throw error }
        }
    }

    private func exists(_ job: Job) async throws(PortError) -> Bool {
        let found = try await context.retrying { () throws(PortError) in
            try await context.backend.tables.get(job.key, in: Job.schema)
        }
        return found.map { !Job.isBare($0) } ?? false
    }

    /// What another job has claimed that this one wants.
    private func foreignClaim(for job: Job) async throws(PortError) -> DestinationClaim? {
        guard let destination = context.parts.destination(of: job) else { return nil }
        let claim = try await Table<DestinationClaim>(context.backend.tables).get(ItemKey(destination))
        return claim?.job == job.id ? nil : claim
    }

    /// Takes a claim away whose job is at its end or not there; false if the job is live.
    ///
    /// The program ends a job and its claim together. Whoever writes into the table, or removes a record, leaves the claim.
    private func freed(_ claim: DestinationClaim) async throws(PortError) -> Bool {
        let holder = JobKey(systemAccountID: claim.systemAccountID, indexName: claim.indexName, id: claim.job)
        if let job = try await get(holder), !job.status.isFinal { return false }
        let isTheirs = DestinationClaim.jobAttribute == claim.job
        do throws(PortError) {
            let removal = Table<DestinationClaim>.deleting(ItemKey(claim.destination), if: isTheirs)
            try await context.backend.tables.transact([removal])
        } catch {
            // Somebody else has taken it away, and perhaps claimed the destination; the next try finds out.
            guard error.code == .conditionFailed else { throw error }
        }
        context.logger.warning(
            "a destination was claimed by a job that is over; it is free now",
            metadata: ["destination": "\(claim.destination)", "job": "\(claim.job)"]
        )
        return true
    }

    /// The job as of the last write that returned, even if it was created a moment ago.
    ///
    /// - Throws: `JobError.unknown`.
    public func get(_ id: JobID) async throws -> Job {
        let query = TableQuery(partition: id.text, index: "reindex_id_index", limit: 1)
        let found = try await context.backend.tables.query(query, in: Job.schema).items.first
        if let key = found.flatMap(Job.schema.key),
            let record = try await context.backend.tables.get(key, in: Job.schema)
        {
            guard !Job.isBare(record) else { throw Self.notTakenOn(id, record) }
            return try Job(attributes: record)
        }
        // The index may not show a new job yet; only who asks for one that isn't there pays for a look at them all.
        guard let job = try await list().first(where: { $0.id == id }) else { throw JobError.unknown(id) }
        return job
    }

    private static func notTakenOn(_ id: JobID, _ record: AttributeMap) -> JobError {
        if case .string(let reason)? = record[Job.statusReason.name] {
            return .field("reindex_id", "no job can be made of the record of \(id): \(reason); write a new record")
        }
        return .field("reindex_id", "the record of \(id) has not become a job yet: no worker or function has seen it")
    }

    func get(_ key: JobKey) async throws(PortError) -> Job? {
        try await context.jobs.get(key.itemKey)
    }

    /// All jobs, newest first, but for those whose records can't be read, which are logged.
    public func list() async throws(PortError) -> [Job] {
        try await listing().jobs
    }

    /// All jobs, newest first, and what is wrong with records that can't be read.
    public func listing() async throws(PortError) -> (jobs: [Job], problems: [String]) {
        var found: (jobs: [Job], problems: [String]) = ([], [])
        var cursor: TableCursor?
        repeat {
            let page = try await context.backend.tables.scan(Job.schema, limit: 500, after: cursor)
            for problem in page.problems { leave(problem, of: &found) }
            for item in page.items {
                guard !Job.isBare(item) else {
                    let key = Job.schema.key(of: item).map(\.description) ?? "?"
                    context.logger.notice("a record of the job table is no job yet", metadata: ["key": "\(key)"])
                    continue
                }
                take(item, into: &found)
            }
            cursor = page.next
        } while cursor != nil
        found.jobs.sort { $0.id.text > $1.id.text }
        return found
    }

    /// One record that somebody has spoilt must not stop all jobs.
    private func take(_ record: AttributeMap, into found: inout (jobs: [Job], problems: [String])) {
        do throws(PortError) {
            found.jobs.append(try Job(attributes: record))
        } catch {
            leave(error.message, of: &found)
        }
    }

    private func leave(_ problem: String, of found: inout (jobs: [Job], problems: [String])) {
        context.logger.error("a job's record can't be read", metadata: ["error": "\(problem)"])
        found.problems.append(problem)
    }

    /// The jobs that are not at their end, those that a redrive may still complete, and those that leave things behind.
    ///
    /// Each may be as it was a moment ago, and one that was just created be missing; see `liveNow`.
    func live() async throws(PortError) -> [Job] {
        try await liveListing().jobs
    }

    /// The live jobs, and what is wrong with records that can't be read.
    func liveListing() async throws(PortError) -> (jobs: [Job], problems: [String]) {
        var found: (jobs: [Job], problems: [String]) = ([], [])
        var query = TableQuery(partition: Job.liveMark, index: Job.liveIndex.name, limit: 500)
        repeat {
            let page = try await context.backend.tables.query(query, in: Job.schema)
            for problem in page.problems { leave(problem, of: &found) }
            for record in page.items { take(record, into: &found) }
            query.after = page.next
        } while query.after != nil
        return found
    }

    /// The live jobs as of the last write that returned, at the cost of reading all jobs there ever were.
    func liveNow() async throws(PortError) -> [Job] {
        try await list().filter { $0.live == Job.liveMark }
    }

    /// The sum of the slices' counters; it balances, however many writers are at work meanwhile.
    public func balance(of id: JobID) async throws(PortError) -> BalanceSheet {
        sum(try await context.slices(of: id))
    }

    public func slices(of id: JobID) async throws(PortError) -> [SliceItem] {
        try await context.slices(of: id)
    }

    /// What is wrong with the first slice that does not balance: whatever wrote it, it was not a booking.
    func imbalance(of slices: [SliceItem]) -> String? {
        for slice in slices {
            if let imbalance = slice.balance.imbalance { return "slice \(slice.index) has \(imbalance)" }
        }
        return nil
    }

    func sum(_ slices: [SliceItem]) -> BalanceSheet {
        slices.reduce(into: BalanceSheet()) { $0 += $1.balance }
    }

    /// Moves a job on if it still is as it was read; false if somebody else was quicker.
    ///
    /// A job that reaches its end gives its destination free in the same transaction.
    @discardableResult
    func move(
        _ job: Job,
        to next: JobStatus,
        reason: String?,
        with changes: [AttributeChange] = [],
        if condition: Condition? = nil
    ) async throws -> Bool {
        try job.status.checkMove(to: next)
        let now = context.now
        var all = changes
        all.append(Job.status.set(next))
        all.append(reason.map(Job.statusReason.set) ?? Job.statusReason.remove)
        all.append(Job.updatedAt.set(now))
        if job.status == .inProgress, let started = job.startedAt {
            all.append(Job.activeSeconds.set(job.activeSeconds + max(0, started.duration(to: now).inSeconds)))
        }
        // It stays among the live ones until the finisher has cleared away what it leaves.
        if next.isFinal { all.append(Job.finishedAt.set(now)) }
        let unchanged = Job.status == job.status && Job.launchNumber == job.launchNumber
        var actions = [Table<Job>.updating(job.key, all, if: condition.map { unchanged && $0 } ?? unchanged)]
        if next.isFinal, let destination = context.parts.destination(of: job) {
            let claim = try await Table<DestinationClaim>(context.backend.tables).get(ItemKey(destination))
            if claim?.job == job.id {
                let own = DestinationClaim.jobAttribute == job.id
                actions.append(Table<DestinationClaim>.deleting(ItemKey(destination), if: own))
            }
        }
        switch try await context.write(actions) {
        case .applied: break
        case .refused: return false
        case .unknown(let error):
            let current = try await context.retrying { () throws(PortError) in try await get(job.jobKey) }
            guard current?.status == next else {
                if current?.status == job.status { throw error }
                return false
            }
        }
        context.logger(for: job.id).info(
            "job moved",
            metadata: ["from": "\(job.status)", "to": "\(next)", "reason": "\(reason ?? "")"]
        )
        return true
    }
}
