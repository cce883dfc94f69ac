// Ends a job now, in bounded time: `sluice job cancel`.
import ArgumentParser
import SluiceAssembly
import SluiceEngine

struct JobCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "End a job now.",
        discussion:
            "Needs no worker. What was under way stays in the final record as in flight or awaiting: not delivered, or unknown."
    )

    @OptionGroup var job: JobArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        try await common.withDeployment { deployment in
            try await deployment.control.cancel(id)
            output.write(try await deployment.job(id).record())
        }
    }
}
