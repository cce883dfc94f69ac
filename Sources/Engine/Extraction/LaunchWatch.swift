// Looks after extractions that run where this process can't see them.
import Logging
import SluiceCore

/// Notices launches that never came about, and extractions that ended before their source did.
struct LaunchWatch: Sendable {
    let context: EngineContext
    let launcher: any Launcher

    /// How long a launch or an extraction may go without a sign before it is asked about.
    static let patience: Duration = .seconds(60)

    /// Launches a pending job that nobody has launched, says what a launch waits for, and pauses a job whose extraction is over
    /// and has not finished.
    ///
    /// Its checkpoints are kept: once the cause is mended, a resume goes on from them.
    func look(after job: Job) async throws {
        switch job.status {
        case .pending:
            guard job.updatedAt.duration(to: context.now) >= Self.patience else { return }
            let launch = Launch(job: job.jobKey, number: job.launchNumber + 1)
            guard try await JobLaunch(context: context, launcher: launcher).start(launch) == false else { return }
            try await judge(launch, job)
        case .inProgress:
            guard (job.startedAt ?? job.updatedAt).duration(to: context.now) >= Self.patience else { return }
            let open = try await context.slices(of: job.id).filter { !$0.finished && !$0.closed }
            // A slice that somebody has leased is being read.
            guard !open.isEmpty, !open.contains(where: { ($0.leaseUntil ?? context.now) > context.now }) else { return }
            try await judge(Launch(job: job.jobKey, number: job.launchNumber), job)
        case .pausing, .paused, .cancelling, .cancelled, .failed, .completed, .completedWithFailures: return
        }
    }

    /// Says in the record of a pending job what it waits for; its launch takes that away again.
    private func tell(_ reason: String, of job: Job) async throws(PortError) {
        guard job.status == .pending, job.statusReason != reason else { return }
        let unchanged = Job.status == job.status && Job.launchNumber == job.launchNumber
        do {
            try await context.jobs.update(job.key, [Job.statusReason.set(reason)], if: unchanged)
        } catch {
            // It is no longer pending, so there is nothing to tell.
            guard error.code == .conditionFailed else { throw error }
        }
    }

    private func judge(_ launch: Launch, _ job: Job) async throws {
        let reason: String
        switch try await launcher.standing(of: launch) {
        case .running, .unknown: return
        case .waiting(let why):
            let waits = "its extraction \(launch.name) has not begun: \(why)"
            context.logger(for: job.id).warning("an extraction waits", metadata: ["reason": "\(waits)"])
            try await tell(waits, of: job)
            return
        case .failed(let why): reason = "its extraction \(launch.name) failed: \(why)"
        case .ended: reason = "its extraction \(launch.name) ended before the source was read"
        case .gone: reason = "its extraction \(launch.name) is gone"
        }
        // What ended may have finished its last slice just before.
        let now = try await JobStore(context).get(job.id)
        guard now.status == job.status, now.launchNumber == job.launchNumber else { return }
        let open = try await context.slices(of: job.id).contains { !$0.finished && !$0.closed }
        guard open else { return }
        context.logger(for: job.id).error("an extraction is over", metadata: ["reason": "\(reason)"])
        try await JobControl(context).pause(job.id, reason: "\(reason); look into its log, then resume the job")
    }
}
