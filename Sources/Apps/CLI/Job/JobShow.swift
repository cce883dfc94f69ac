// One job's record, counters included: `sluice job show`.
import ArgumentParser
import SluiceAssembly

struct JobShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Print a job's record.")

    @OptionGroup var job: JobArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        try await common.withDeployment { output.write(try await $0.job(id).record()) }
    }
}
