// Launches a job's extraction, or pauses the job if that would be refused for ever.
import Logging
import SluiceCore

/// One way to launch, for whoever sees that a job waits for it.
struct JobLaunch: Sendable {
    let context: EngineContext
    let launcher: any Launcher

    /// Whether this call started it; nil if it was refused, and then a job that still waits for it is paused.
    func start(_ launch: Launch) async throws -> Bool? {
        do throws(PortError) {
            return try await launcher.launch(launch)
        } catch {
            guard error.code == .invalidRequest else { throw error }
            let reason = "its extraction \(launch.name) was refused: \(error.message)"
            context.logger(for: launch.job.id).error("a launch was refused", metadata: ["reason": "\(reason)"])
            // Who was told late of a job that is launched by now must not stop it.
            guard let job = try await context.jobs.get(launch.job.itemKey), job.status == .pending,
                job.launchNumber == launch.number - 1
            else { return nil }
            try await JobControl(context).pause(job.id, reason: "\(reason); mend that, then resume the job")
            return nil
        }
    }
}
