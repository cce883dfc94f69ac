// Makes tables, queues and bucket on AWS: `sluice tables create`.
import ArgumentParser
import SluiceAssembly
import SluiceCore

struct TablesCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make the tables, queues and bucket of a deployment on AWS, each unless it is there.",
        discussion: """
            For those who deploy without a template. Doing it again changes nothing; a table of another make is refused, \
            and left as it is. On the embedded backend it makes the database file, as every job does by itself.
            """
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        var made: [MadeThing] = []
        try await TablesMaking.run(try await common.settings().settings, environment: common.environment) { thing in
            StandardError.write("sluice: \(thing.kind) \(thing.name)\n")
            made.append(thing)
        }
        output.write(made.map { ["kind": .string($0.kind), "name": .string($0.name)] }) {
            var table = TextTable(.text("KIND"), .text("NAME"))
            for thing in made { table.add(thing.kind, thing.name) }
            return table
        }
    }
}
