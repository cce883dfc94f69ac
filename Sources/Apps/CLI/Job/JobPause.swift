// Asks a job to stop at its next checkpoint: `sluice job pause`.
import ArgumentParser
import SluiceAssembly
import SluiceEngine

struct JobPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Stop a job's extraction at its next checkpoint.",
        discussion: "The wish is stored and the command returns; chunks already queued drain."
    )

    @OptionGroup var job: JobArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        try await common.withDeployment { deployment in
            try await deployment.control.pause(id)
            output.write(try await deployment.job(id).record())
        }
    }
}
