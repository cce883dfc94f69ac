// The noun `dead-letters`: records that were given up, listed, sent again and exported.
import ArgumentParser

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Look at records that could not be delivered, and send them again.",
        subcommands: [DeadLettersList.self, DeadLettersRedrive.self, DeadLettersExport.self]
    )
}
