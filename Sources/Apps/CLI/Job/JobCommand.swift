// The noun `job`.
import ArgumentParser

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Look at jobs and steer them.",
        subcommands: [JobShow.self]
    )
}
