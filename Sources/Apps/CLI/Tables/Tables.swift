// The noun `tables`: what a backend needs before its first job.
import ArgumentParser

struct TablesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tables",
        abstract: "Make what the backend needs.",
        subcommands: [TablesCreate.self]
    )
}
