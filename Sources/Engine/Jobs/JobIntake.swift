// From a bare record, as an outside control plane writes it, to a job.
import Logging
public import SluiceCore

/// What a bare record asks for, checked: a job that can be created.
public struct PlannedJob: Sendable {
    public let job: Job
    /// What its slices' checkpoints are written for; see `SliceMatch`.
    public let match: String

    public init(job: Job, match: String) {
        self.job = job
        self.match = match
    }
}

/// Knows what the fields of a bare record mean.
public protocol JobIntake: Sendable {
    /// Plans the job that a record asks for; stores nothing.
    ///
    /// - Throws: `JobError` naming what is wrong with the record; anything else is worth trying again.
    func plan(_ record: AttributeMap, key: JobKey) async throws -> PlannedJob
}

/// Makes jobs of bare records in the job table.
///
/// A control plane starts a job by writing a record with the status `pending` and little else. Whoever sees it first makes
/// it whole; doing so twice, even at once, makes one job.
struct JobAdoption: Sendable {
    let context: EngineContext
    let intake: any JobIntake

    /// The job of a record if it waits to be launched, made whole if it was bare.
    ///
    /// A record that no job can be made of becomes `failed`, and says why.
    ///
    /// - Throws: what is worth trying again.
    func adopt(_ key: ItemKey) async throws -> Job? {
        let found = try await context.retrying { () throws(PortError) in
            try await context.backend.tables.get(key, in: Job.schema)
        }
        guard let record = found, record[Job.status.name] == JobStatus.pending.attributeValue else { return nil }
        guard Job.isBare(record) else { return try Job(attributes: record) }
        do {
            let plan = try await intake.plan(record, key: try JobKey(record))
            try await JobStore(context).adopt(plan)
            context.logger(for: plan.job.id).info("a record became a job")
            return plan.job
        } catch let error as JobError {
            try await refuse(key, error.description)
            return nil
        }
    }

    /// Takes on every bare record there is, for the change that told of it may be gone.
    func adoptAll() async throws {
        var cursor: TableCursor?
        repeat {
            let page = try await context.backend.tables.scan(Job.schema, limit: 500, after: cursor)
            for problem in page.problems {
                context.logger.error("a record was not taken on", metadata: ["error": "\(problem)"])
            }
            for record in page.items where Job.isBare(record) {
                guard let key = Job.schema.key(of: record) else { continue }
                do {
                    _ = try await adopt(key)
                } catch {
                    // Such as a source that is away: the others are not to wait for it.
                    context.logger.warning(
                        "a record was not taken on; trying again",
                        metadata: ["key": "\(key)", "error": "\(error)"]
                    )
                }
            }
            cursor = page.next
        } while cursor != nil
    }

    private func refuse(_ key: ItemKey, _ reason: String) async throws(PortError) {
        context.logger.error("no job can be made of a record", metadata: ["key": "\(key)", "reason": "\(reason)"])
        let changes = [
            Job.status.set(.failed), Job.statusReason.set(reason), Job.updatedAt.set(context.now),
        ]
        // Somebody may have mended or withdrawn it meanwhile.
        _ = try await context.retrying { () throws(PortError) in
            try await context.jobs.updated(key, changes, if: Job.isBareAndPending)
        }
    }
}

extension Job {
    /// Whether a record only asks for a job: what every job has from its beginning is missing.
    static func isBare(_ record: AttributeMap) -> Bool {
        record[launchNumber.name] == nil
    }

    static var isBareAndPending: Condition { launchNumber.isAbsent && status == .pending }
}

extension JobKey {
    /// The key of a bare record, which may leave out what its keys say.
    ///
    /// - Throws: `JobError.field` naming the attribute that is malformed or contradicts the keys.
    init(_ record: AttributeMap) throws(JobError) {
        guard let key = Job.schema.key(of: record), let sort = key.sort, let mark = sort.lastIndex(of: "#") else {
            throw .field("sk", "must be {index_name}#{reindex_id}")
        }
        let id = try JobID(String(sort[sort.index(after: mark)...]))
        self.init(systemAccountID: key.partition, indexName: String(sort[..<mark]), id: id)
        let said = [
            ("system_account_id", systemAccountID), ("index_name", indexName), ("reindex_id", id.text),
        ]
        for (name, value) in said {
            guard let other = record[name], other != .string(value) else { continue }
            throw .field(name, "is not \"\(value)\", which the record's keys say; make them agree")
        }
        guard !indexName.isEmpty, !indexName.contains("#") else {
            throw .field("sk", "must be {index_name}#{reindex_id}, with an index name without #")
        }
    }
}
