// The dead records themselves: `sluice dead-letters export`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct DeadLettersExport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a job's dead records to standard output, one a line.",
        discussion: """
            As they are, byte for byte, so that the mended lines can be the source of another job; with --format json an \
            object a line, with the reason and the record as text in `payload`.
            """
    )

    enum Format: String, CaseIterable, ExpressibleByArgument {
        case raw, json
    }

    @OptionGroup var job: JobArgument

    @Option(help: "raw writes the records' own bytes, json an object for each.")
    var format = Format.raw

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        try await common.withDeployment { deployment in
            try await deployment.forEachDeadLetter(of: id) { letter in
                let payload = try await deployment.deadLetters.payload(of: letter)
                StandardOutput.write(try line(letter, payload) + [UInt8(ascii: "\n")])
            }
        }
    }

    func line(_ letter: DeadLetter, _ payload: [UInt8]) throws -> [UInt8] {
        guard format == .json else { return payload }
        var record = try SizedLetter(letter: letter, bytes: payload.count).record()
        record["payload"] = .string(String(decoding: payload, as: UTF8.self))
        return JSONValue.object(record).bytes()
    }
}
