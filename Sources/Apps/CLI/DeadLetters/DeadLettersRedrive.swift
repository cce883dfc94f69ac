// `sluice dead-letters redrive`: sends dead letters again.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct DeadLettersRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive",
        abstract: "Send a job's dead letters again, and print how many.",
        discussion: "A worker delivers them. A record stays dead until it is confirmed, so nothing is counted twice."
    )

    @OptionGroup var job: JobArgument

    @Option(name: .customLong("id"), help: "Only the record with this id; may be repeated.")
    var recordIDs: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        let wanted = recordIDs.isEmpty ? nil : Set(recordIDs)
        let sent = try await common.withDeployment { try await $0.deadLetters.redrive(id, recordIDs: wanted) }
        switch output.format {
        case .table: StandardOutput.write("\(sent)\n")
        case .json: output.write(["reindex_id": .string(id.text), "sent": .number(JSONNumber(sent))])
        }
    }
}
