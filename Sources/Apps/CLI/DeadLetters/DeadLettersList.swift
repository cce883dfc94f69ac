// The records of a job that are dead now, with their reasons: `sluice dead-letters list`.
import ArgumentParser
import SluiceAssembly

struct DeadLettersList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List a job's dead letters: which record, where, why, after how many attempts, how large."
    )

    @OptionGroup var job: JobArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        let letters = try await common.withDeployment { deployment in
            var letters: [SizedLetter] = []
            try await deployment.forEachDeadLetter(of: id) { letters.append(try await deployment.sized($0)) }
            return letters
        }
        output.write(try letters.map { try $0.record() }) { SizedLetter.table(letters) }
    }
}
