// Sends dead letters again: `sluice dead-letters redrive`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct DeadLettersRedrive: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redrive",
        abstract: "Send a job's dead letters again, and print how many.",
        discussion: """
            A worker delivers them. A record stays dead until it is confirmed, so nothing is counted twice. Records that \
            could not even be read are passed over: export them, mend them, and start a job for them.
            """
    )

    @OptionGroup var job: JobArgument

    @Option(name: .customLong("id"), help: "Only the record with this id; may be repeated.")
    var recordIDs: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        let wanted = recordIDs.isEmpty ? nil : Set(recordIDs)
        let (sent, unfit) = try await common.withDeployment { deployment in
            let sent = try await deployment.deadLetters.redrive(id, recordIDs: wanted)
            var unfit = 0
            try await deployment.forEachDeadLetter(of: id) { unfit += $0.canBeSent ? 0 : 1 }
            return (sent, unfit)
        }
        if sent == 0, let wanted {
            throw JobError.field(
                "id",
                "no dead letter of job \(id) that could be sent has the id \(wanted.sorted().joined(separator: " or "))"
            )
        }
        if unfit > 0, wanted == nil {
            StandardError.write(
                "sluice: \(unfit) dead letter\(unfit == 1 ? "" : "s") can't be sent, being no valid "
                    + "record\(unfit == 1 ? "" : "s"); `sluice dead-letters export \(id)` writes what is to be mended\n"
            )
        }
        switch output.format {
        case .table: StandardOutput.write("\(sent)\n")
        case .json: output.write(["reindex_id": .string(id.text), "sent": .number(JSONNumber(sent))])
        }
    }
}
