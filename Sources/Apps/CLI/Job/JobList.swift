// All jobs, newest first: `sluice job list`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct JobList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List all jobs, newest first.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let jobs = try await common.withDeployment { try await $0.jobs.list() }
        output.write(try jobs.map { try $0.record() }) { Job.table(jobs) }
    }
}
