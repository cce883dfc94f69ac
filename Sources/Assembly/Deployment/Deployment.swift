// A backend that was opened, and everything that works on it, whichever backend that is.
package import Logging
package import ReindexPipeline
package import SluiceCore
package import SluiceEngine

/// One opening of a backend; close it at the end.
package struct Deployment: Sendable {
    package let settings: Settings
    package let context: EngineContext
    let platform: any Platform

    package var jobs: JobStore { JobStore(context) }
    package var control: JobControl { JobControl(context) }
    package var reindexStart: ReindexStart { ReindexStart(context, places: settings.places) }
    package var indexes: IndexStore { IndexStore(context.backend.tables) }
    package var deadLetters: DeadLetters { DeadLetters(context) }

    /// Opens the backend that the settings name.
    ///
    /// - Parameters:
    ///   - settings: of this process.
    ///   - environment: its variables; AWS's own are among them.
    ///   - makingIt: whether an SQLite file that isn't there is made. On AWS `makeTables` makes what is missing.
    ///   - working: whether it shares in the jobs' rates.
    ///   - logger: for what goes on.
    /// - Returns: the deployment, to be closed.
    /// - Throws: `PortError`; `notFound` if there is no database, table or queue.
    package static func open(
        _ settings: Settings,
        environment: [String: String] = [:],
        makingIt: Bool,
        working: Bool,
        logger: Logger
    ) async throws(PortError) -> Deployment {
        switch settings.backend {
        case .embedded: try await openEmbedded(settings, makingIt: makingIt, working: working, logger: logger)
        case .aws: try await openAWS(settings, environment: environment, working: working, logger: logger)
        }
    }

    /// Whether some other process works on this backend, as far as that is known.
    package func hasOtherWorkers() async -> Bool { await platform.hasOtherWorkers() }

    /// A worker on this backend; run it, and end it by its stop signal.
    package func worker() -> Worker {
        let platform = platform
        return Worker(context, schedule: schedule, intake: intake) {
            try await platform.keepHouse()
        } accompaniment: {
            await platform.accompanyWorker()
        }
    }

    /// The extraction of one launch, in a process that was started for it.
    package func extraction(of launch: Launch) -> ExtractionRun {
        let platform = platform
        return ExtractionRun(context, launch: launch) { await platform.accompanyWorker() }
    }

    /// What a platform calls that receives messages and changes itself.
    package func functions(launcher: (any Launcher)?) -> Functions {
        Functions(context, launcher: launcher, intake: intake, schedule: schedule)
    }

    private var schedule: TableSchedule {
        TableSchedule(tables: context.backend.tables, clock: context.clock, owner: context.backend.owners.own)
    }

    /// What makes jobs of bare records.
    private var intake: ReindexIntake {
        let defaults = settings.reindex
        var request = ReindexRequest()
        request.concurrency = defaults.concurrency
        request.pageSize = defaults.pageSize
        request.rate = defaults.rate
        request.failureBudget = defaults.failureBudget
        return ReindexIntake(reindexStart, defaults: request)
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
        try await platform.close()
    }
}

/// What a deployment needs of its backend beside the ports.
protocol Platform: Sendable {
    /// Whether some other process works there, as far as that is known.
    func hasOtherWorkers() async -> Bool
    /// The backend's own slow work, done now and then by one of the workers.
    func keepHouse() async throws
    /// What this process has to do for as long as it works; ends by itself, or by being cancelled.
    func accompanyWorker() async
    func close() async throws(PortError)
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
