// Makes a paused job pending again: `sluice job resume`.
import ArgumentParser
import SluiceAssembly
import SluiceEngine

struct JobResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a paused job go on from its checkpoints.",
        discussion: "A worker takes it on; with none running, start one with `sluice worker`."
    )

    @OptionGroup var job: JobArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        try await common.withDeployment { deployment in
            try await deployment.control.resume(id)
            output.write(try await deployment.job(id).record())
        }
    }
}
