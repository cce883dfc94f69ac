// One connection's queue of work: what waits is done together, and answered after one commit.
import GRDB
import SluiceCore
import Synchronization

/// What a piece of work may use while it runs on a connection.
final class Session {
    let connection: Connection
    /// The moment at which the transaction began; the same for all work in it.
    let now: Timestamp
    /// What others may now find, told after the commit.
    fileprivate(set) var news: Set<Topic> = []

    init(_ connection: Connection, now: Timestamp) {
        self.connection = connection
        self.now = now
    }

    /// Wakes those who wait for the topic once the work is committed; forgotten if it is rolled back.
    func announce(_ topic: Topic) {
        news.insert(topic)
    }
}

/// Group commit for writes, and shared snapshots for reads.
///
/// Work of any number of tasks is collected while the connection is busy. Then all of it runs in one transaction, each
/// piece in a savepoint of its own: a piece that throws is rolled back alone. One commit makes the rest durable, and only
/// then all are answered. If the commit fails, or SQLite gives the transaction up, every piece gets the error and nothing
/// of any is stored.
///
/// It runs on the serial queue of its GRDB database and never blocks a thread of Swift's pool. Work is short and cannot
/// be cancelled: its caller gets a certain answer.
final class Lane: Sendable {
    enum Purpose: Sendable {
        case reading, writing
    }

    private struct Job: Sendable {
        /// Does the work and returns how to answer it after the commit.
        let attempt: @Sendable (Session) throws -> @Sendable () -> Void
        let fail: @Sendable (PortError) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var isDraining = false
        var isClosed = false
    }

    private let database: DatabaseQueue
    private let connection: Connection
    private let purpose: Purpose
    private let path: String
    private let clock: any Timekeeping
    private let told: @Sendable (Set<Topic>) -> Void
    private let state = Mutex(State())

    /// Takes over an opened database; `told` hears after each commit what others may now find.
    init(
        _ database: DatabaseQueue,
        for purpose: Purpose,
        path: String,
        clock: any Timekeeping,
        told: @escaping @Sendable (Set<Topic>) -> Void
    ) throws {
        self.database = database
        self.purpose = purpose
        self.path = path
        self.clock = clock
        self.told = told
        connection = try database.writeWithoutTransaction { try Connection($0) }
    }

    /// Does the work in a transaction; what it returns is durable, or what it read was committed, on return.
    func perform<Answer: Sendable>(
        _ work: @escaping @Sendable (Session) throws -> Answer
    ) async throws(PortError) -> Answer {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Answer, PortError>, Never>) in
            enqueue(
                Job(
                    attempt: { session in
                        let answer = try work(session)
                        return { continuation.resume(returning: .success(answer)) }
                    },
                    fail: { continuation.resume(returning: .failure($0)) }
                )
            )
        }
        return try result.get()
    }

    /// Refuses further work, finishes what waits and closes the connection.
    func close() async throws(PortError) {
        let wasClosed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed
        }
        guard !wasClosed else { return }
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, PortError>, Never>) in
            // On the serial queue, behind a drain that may be under way.
            database.asyncWriteWithoutTransaction { [self] _ in
                drain()
                connection.finalize()
                continuation.resume(returning: .success(()))
            }
        }
        try result.get()
        do { try database.close() } catch { throw PortError(error, path: path) }
    }

    /// Moves the write-ahead log into the database and cuts it off; left for another time if somebody reads from it.
    func emptyLog() async throws(PortError) {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, PortError>, Never>) in
            database.asyncWriteWithoutTransaction { [self] _ in
                let isClosed = state.withLock { $0.isClosed }
                guard !isClosed else { return continuation.resume(returning: .failure(closed)) }
                let result = Result {
                    try connection.withoutWaiting { try connection.run("pragma wal_checkpoint(truncate)") }
                }
                continuation.resume(returning: result.mapError { PortError($0, path: path) })
            }
        }
        try result.get()
    }

    private var closed: PortError { PortError(.unavailable, "the database \(path) is closed") }

    private func enqueue(_ job: Job) {
        let (refused, starts) = state.withLock { state -> (Bool, Bool) in
            if state.isClosed { return (true, false) }
            state.waiting.append(job)
            defer { state.isDraining = true }
            return (false, !state.isDraining)
        }
        if refused { job.fail(closed) }
        if starts { database.asyncWriteWithoutTransaction { [self] _ in drain() } }
    }

    private func drain() {
        while true {
            let jobs = state.withLock { state -> [Job] in
                let jobs = Array(state.waiting.prefix(SQLiteFile.writesPerCommitMax))
                state.waiting.removeFirst(jobs.count)
                if jobs.isEmpty { state.isDraining = false }
                return jobs
            }
            if jobs.isEmpty { return }
            commit(jobs)
        }
    }

    private func commit(_ jobs: [Job]) {
        var answers: [@Sendable () -> Void] = []
        var failures: [(Job, PortError)] = []
        let session: Session
        do {
            try connection.run(purpose == .writing ? "begin immediate" : "begin")
            // Read after the lock is had: what follows may have had to wait for it.
            session = Session(connection, now: clock.now)
            for job in jobs {
                do {
                    answers.append(try attempt(job, in: session, alone: jobs.count == 1))
                } catch {
                    guard connection.isInTransaction else { throw error }
                    failures.append((job, PortError(error, path: path)))
                }
            }
            // A reader has nothing to commit, and a rollback ends its snapshot also where the file is damaged.
            try connection.run(purpose == .writing ? "commit" : "rollback")
        } catch {
            rollBack()
            let error = PortError(error, path: path)
            for job in jobs { job.fail(error) }
            return
        }
        for answer in answers { answer() }
        for (job, error) in failures { job.fail(error) }
        if !session.news.isEmpty { told(session.news) }
    }

    /// Runs one piece of work so that, if it throws, nothing of it is left.
    private func attempt(_ job: Job, in session: Session, alone: Bool) throws -> @Sendable () -> Void {
        let newsBefore = session.news
        // A reader has nothing to undo, and a writer alone is undone by its transaction.
        let isSaved = purpose == .writing && !alone
        if isSaved { try connection.run("savepoint work") }
        do {
            let answer = try job.attempt(session)
            if isSaved { try connection.run("release work") }
            return answer
        } catch {
            session.news = newsBefore
            guard connection.isInTransaction else { throw error }
            if isSaved {
                try connection.undo("rollback to work")
                try connection.run("release work")
            } else if purpose == .writing {
                try connection.undo("rollback")
                try connection.run("begin")
            }
            throw error
        }
    }

    private func rollBack() {
        connection.messageIDs = 0..<0
        guard connection.isInTransaction else { return }
        do {
            try connection.undo("rollback")
        } catch {
            // A rollback fails only if SQLite has rolled back already; the next begin would tell otherwise.
        }
    }
}
