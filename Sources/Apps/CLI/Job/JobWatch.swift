// Follows a job to its end: `sluice job watch`.
import ArgumentParser
import SluiceAssembly
import SluiceCore

struct JobWatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a job's progress until it is at its end or paused.",
        discussion: """
            On a terminal: a bar for each slice (= has come to its end, - is on its way), rate, ETA and balance. Elsewhere \
            a line once a second when something changed, with --format json a JSON object a line. The exit code says how \
            the job ended. Watching does no work; a worker does.
            """
    )

    @OptionGroup var job: JobArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        let ended = try await common.withDeployment { deployment in
            let job = try await deployment.job(id)
            if !job.status.isFinal, job.status != .paused, await !deployment.hasOtherWorkers() {
                StandardError.write("sluice: no worker is running, so nothing moves; start one with `sluice worker`\n")
            }
            return try await JobFollower(deployment, job: id, display: .standardOutput(output.format)).follow()
        }
        try ExitStatus(of: ended.status).end()
    }
}
