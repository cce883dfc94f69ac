// The noun `reindex`: jobs that move documents into an index.
import ArgumentParser

struct ReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Move documents into an index, whole or by field.",
        subcommands: [ReindexStartCommand.self]
    )
}
