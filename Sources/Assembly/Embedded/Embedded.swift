// The embedded default, opened: one SQLite file, its objects, and everything that works on them.
import FilesDriver
import Glibc
package import Logging
package import ReindexPipeline
package import SQLiteDriver
package import SluiceCore
package import SluiceEngine

/// One opening of the embedded backend; close it at the end.
package struct Deployment: Sendable {
    package let settings: Settings
    package let context: EngineContext
    package let database: SQLiteBackend

    package var jobs: JobStore { JobStore(context) }
    package var control: JobControl { JobControl(context) }
    package var reindexStart: ReindexStart { ReindexStart(context, places: settings.places) }
    /// Whether some other process works on this database.
    package var hasOtherWorkers: Bool { database.owners.hasOtherWorkers() }
    package var indexes: IndexStore { IndexStore(context.backend.tables) }
    package var deadLetters: DeadLetters { DeadLetters(context) }

    /// Opens the database and its objects.
    ///
    /// A database that isn't there is made only if `makingIt`. Only who is `working` shares in the jobs' rates.
    ///
    /// - Throws: `PortError`; `notFound` if there is no database and none is to be made.
    package static func open(
        _ settings: Settings,
        makingIt: Bool,
        working: Bool,
        logger: Logger
    ) async throws(PortError) -> Deployment {
        let path = absolute(settings.databasePath)
        guard makingIt || isThere(path) else {
            throw PortError(
                .notFound,
                "there is none at \(path); `sluice reindex start` makes one, --database or SLUICE_DATABASE names another"
            )
        }
        let database = try await SQLiteBackend.open(
            SQLiteOptions(
                path: path,
                durability: settings.durability,
                busyWait: settings.busyWait,
                isOnlooker: !working
            )
        )
        do {
            let objects = try FileObjectStore(root: path + ".objects")
            let context = EngineContext(
                backend: try database.backend(objects: objects),
                parts: EmbeddedParts(owner: database.owners.own, settings: settings, logger: logger),
                settings: settings.engine,
                logger: logger
            )
            return Deployment(settings: settings, context: context, database: database)
        } catch {
            try await database.close()
            throw error
        }
    }

    /// An empty file is a database that nobody has made yet.
    private static func isThere(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_size > 0
    }

    /// A worker on this database; run it, and end it by its stop signal.
    package func worker() -> Worker {
        let database = database
        let tables = TableSchedule(
            tables: context.backend.tables,
            clock: context.clock,
            owner: context.backend.owners.own
        )
        return Worker(context, schedule: tables) { _ = try await database.keepHouse() }
    }

    /// A job with its counters as its slices have them, which are ahead of its stored record by up to a tick.
    ///
    /// - Throws: `JobError.unknown`.
    package func job(_ id: JobID) async throws -> Job {
        var job = try await jobs.get(id)
        guard !job.status.isFinal else { return job }
        job.show(try await jobs.balance(of: id))
        return job
    }

    package func close() async throws(PortError) {
        try await database.close()
    }

    /// A path that stays right whatever becomes of the working folder.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}

extension Job {
    fileprivate mutating func show(_ sheet: BalanceSheet) {
        extractedDocCount = sheet.extracted
        skippedDocCount = sheet.skipped
        inFlightDocCount = sheet.inFlight
        awaitingDocCount = sheet.awaiting
        deadLetteredDocCount = sheet.deadLettered
        completedDocCount = sheet.completed
        replayedDocCount = sheet.replayed
        redeliveredDocCount = sheet.redelivered
    }
}
