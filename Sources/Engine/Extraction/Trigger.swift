// Starts extraction when the change feed shows a job that became pending.
import Logging
import SluiceCore

/// Follows the job table: an insert of `pending`, or any change to it, is a launch.
struct Trigger: Sendable {
    let context: EngineContext
    let launcher: any Launcher
    let stop: StopSignal

    func run() async throws {
        let context = context
        // Jobs that became pending before are found by the extraction service's own look.
        var position = FeedPosition.latest
        while !stop.isStopping {
            do {
                let from = position
                let page = try await stop.race {
                    try await context.backend.feed.read(
                        Job.schema,
                        from: from,
                        limit: 100,
                        wait: context.settings.longPoll
                    )
                }
                guard let page else { return }
                for change in page.changes { try await handle(change) }
                position = page.next
            } catch {
                context.logger.warning("reading the change feed failed; trying again", metadata: ["error": "\(error)"])
                if (error as? PortError)?.code == .notFound { position = .start }
                await stop.pause(context.settings.tick, context.clock)
            }
        }
    }

    /// Launches the job if the change made it pending.
    ///
    /// A change seen twice is one launch.
    func handle(_ change: TableChange) async throws {
        guard let launch = try Self.launch(for: change) else { return }
        _ = try await launcher.launch(launch)
    }

    static func launch(for change: TableChange) throws(PortError) -> Launch? {
        let pending = JobStatus.pending.attributeValue
        guard let new = change.new, new[Job.status.name] == pending, change.old?[Job.status.name] != pending else {
            return nil
        }
        let job = try Job(attributes: new)
        return Launch(job: job.jobKey, number: job.launchNumber + 1)
    }
}
