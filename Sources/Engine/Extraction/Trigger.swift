// Starts extraction when the change feed shows a job that became pending.
import Logging
import SluiceCore

/// Follows the job table: an insert of `pending`, or any change to it, is a launch.
struct Trigger: Sendable {
    let context: EngineContext
    let launcher: any Launcher
    /// Makes jobs of bare records; without it they wait for somebody who can.
    let intake: (any JobIntake)?
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
                for change in page.changes { try await handleOrLeave(change) }
                position = page.next
            } catch {
                context.logger.warning("reading the change feed failed; trying again", metadata: ["error": "\(error)"])
                if (error as? PortError)?.code == .notFound { position = .start }
                await stop.pause(context.settings.tick, context.clock)
            }
        }
    }

    /// As `handle`, but for a bare record that can't be taken on for now: the changes behind it don't wait, and the intake's
    /// own round finds it.
    private func handleOrLeave(_ change: TableChange) async throws {
        do {
            try await handle(change)
        } catch {
            let isSpoilt = (error as? PortError)?.code == .invalidRequest
            guard let record = change.new, isSpoilt || Job.isBare(record), !Task.isCancelled else { throw error }
            context.logger.warning(
                "a record was not taken on; it is looked at again later",
                metadata: ["key": "\(change.key)", "error": "\(error)"]
            )
        }
    }

    /// Launches the job if the change made it pending.
    ///
    /// A change seen twice is one launch.
    func handle(_ change: TableChange) async throws {
        guard let record = Self.pendingRecord(change), let job = try await job(record, at: change.key) else { return }
        let launch = Launch(job: job.jobKey, number: job.launchNumber + 1)
        guard let isNew = try await JobLaunch(context: context, launcher: launcher).start(launch) else { return }
        context.logger(for: job.id).info("launched", metadata: ["launch": "\(launch.name)", "before": "\(!isNew)"])
    }

    /// The record, if the change made it pending.
    static func pendingRecord(_ change: TableChange) -> AttributeMap? {
        let pending = JobStatus.pending.attributeValue
        guard let new = change.new, new[Job.status.name] == pending, change.old?[Job.status.name] != pending else {
            return nil
        }
        return new
    }

    private func job(_ record: AttributeMap, at key: ItemKey) async throws -> Job? {
        guard Job.isBare(record) else { return try Job(attributes: record) }
        guard let intake else { return nil }
        return try await JobAdoption(context: context, intake: intake).adopt(key)
    }
}
