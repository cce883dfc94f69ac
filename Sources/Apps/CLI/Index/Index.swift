// The noun `index`: what is known of each index that can be reindexed.
import ArgumentParser

struct IndexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Keep the records of indexes: their kind, their fields, who serves them.",
        subcommands: [IndexSet.self, IndexShow.self, IndexList.self]
    )
}

/// An index as it is named on the command line.
struct IndexArgument: ParsableArguments {
    @Argument(help: "The index's name.")
    var index: String

    @Option(help: "The account that the index belongs to.")
    var account: String
}
