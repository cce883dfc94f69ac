// One launch's extraction, in a process that was started for it.
import Logging
public import ServiceLifecycle
public import SluiceCore

/// Reads the slices of one job until nothing is left to read, or the job is not to be read any more.
///
/// Several such processes may be at it at once, by mistake or after a crash; each slice is read by one of them.
public final class ExtractionRun: Service {
    /// How a run ended.
    public enum End: Sendable, Hashable {
        /// All slices have been read.
        case finished
        /// The job is paused, at its end, gone, or has been launched anew.
        case notWanted(JobStatus?)
        /// It was asked to stop; the slices are at checkpoints.
        case stopped
    }

    public let stop = StopSignal()
    private let context: EngineContext
    private let launch: Launch
    private let extraction: ExtractionService
    private let accompaniment: @Sendable () async -> Void

    /// - Parameters:
    ///   - context: where to work.
    ///   - launch: whose slices are read; it need not have been taken on yet.
    ///   - accompaniment: what the backend has to do for as long as somebody works.
    public init(
        _ context: EngineContext,
        launch: Launch,
        accompaniment: @escaping @Sendable () async -> Void = {}
    ) {
        self.context = context
        self.launch = launch
        self.accompaniment = accompaniment
        extraction = ExtractionService(
            context,
            cache: JobCache(context),
            gauge: InFlightGauge(context),
            stop: stop,
            only: launch
        )
    }

    public func run() async throws {
        _ = try await end()
    }

    /// Runs; how it ended.
    ///
    /// A cancelled task, and a graceful shutdown, stop it at the slices' checkpoints.
    public func end() async throws -> End {
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: End?.self) { group in
                group.addTask {
                    // Nobody may wait for the end of slices that are read no more.
                    defer { self.stop.stop() }
                    try await self.extraction.run()
                    return nil
                }
                group.addTask {
                    _ = try await self.stop.race { await self.accompaniment() }
                    return nil
                }
                let end = try await self.waitForEnd()
                stop.stop()
                try await group.waitForAll()
                return end
            }
        } onCancelOrGracefulShutdown: {
            self.stop.stop()
        }
    }

    private func waitForEnd() async throws -> End {
        while !stop.isStopping {
            do {
                if let end = try await look() { return end }
            } catch {
                context.logger(for: launch.job.id).warning(
                    "looking for the end failed; trying again",
                    metadata: ["error": "\(error)"]
                )
            }
            await stop.pause(context.settings.tick, context.clock)
        }
        return .stopped
    }

    private func look() async throws -> End? {
        guard let job = try await JobStore(context).get(launch.job) else { return .notWanted(nil) }
        let isOurs =
            job.status == .pending && job.launchNumber == launch.number - 1
            || job.status == .inProgress && job.launchNumber == launch.number
        guard isOurs else { return .notWanted(job.status) }
        let slices = try await context.slices(of: job.id)
        return slices.count == job.concurrency && slices.allSatisfy { $0.finished || $0.closed } ? .finished : nil
    }
}
