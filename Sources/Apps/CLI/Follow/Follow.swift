// Follows a job to its end, and shows how it goes.
import SluiceAssembly
import SluiceCore
import SluiceEngine

/// Looks at a job again and again until it is at its end or paused.
struct JobFollower: Sendable {
    let deployment: Deployment
    let job: JobID
    let display: ProgressDisplay

    init(_ deployment: Deployment, job: JobID, display: ProgressDisplay) {
        self.deployment = deployment
        self.job = job
        self.display = display
    }

    /// Between two looks at the job's state: an end is noticed within this.
    private static let stateInterval: Duration = .milliseconds(100)

    /// Returns when the job is at its end or paused; the job as it then is.
    @discardableResult
    func follow() async throws -> Job {
        let clock = deployment.context.clock
        var display = display
        while true {
            let current = try await deployment.jobs.get(job)
            let hasStopped = current.status.isFinal || current.status == .paused
            if hasStopped || display.isDue(at: clock.now) {
                let slices = try await deployment.jobs.slices(of: job)
                display.show(JobProgress(current, slices, now: clock.now), isLast: hasStopped)
            }
            if hasStopped { return current }
            try await clock.sleep(for: Self.stateInterval)
        }
    }
}
