// The noun `queue`: how much waits where.
import ArgumentParser

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue",
        abstract: "Look at the queues.",
        subcommands: [QueueDepthCommand.self]
    )
}
