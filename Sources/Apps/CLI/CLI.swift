// The program `sluice`: one file a verb, under its noun.
import ArgumentParser

/// All nouns.
@main
struct Sluice: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Moves records in bulk from where they are to where they should be, with books that balance.",
        discussion: """
            Results go to standard output, progress and logs to standard error.

            Exit codes: 0 done, 1 error, 3 completed with failures, 4 paused, 5 cancelled, 6 failed, 64 usage, \
            69 unavailable, 75 interrupted and resumable, 78 configuration.

            Completion scripts: sluice --generate-completion-script bash|zsh|fish
            """,
        version: version,
        subcommands: [
            ReindexCommand.self, JobCommand.self, IndexCommand.self, DeadLettersCommand.self, QueueCommand.self,
            WorkerCommand.self, TablesCommand.self, ConfigCommand.self, DoctorCommand.self, StandInCommand.self,
        ]
    )

    /// Parses, runs, and says in one line what went wrong.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Complaint(error).end()
        }
    }
}
