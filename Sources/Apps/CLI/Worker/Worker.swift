// Moves live jobs on, until it is told to stop or nothing is left to do: `sluice worker`.
import ArgumentParser
import SluiceAssembly
import SluiceEngine

struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Work on all live jobs of the database.",
        discussion: """
            Any number of workers can share a database. SIGTERM or Ctrl-C stops at the next checkpoint, a second one at \
            once. A worker that was asked to stop ends with 0; one that should have worked until idle, and was stopped \
            before, ends with 75.
            """
    )

    @Flag(help: "End when nothing is left to do: no job but paused ones, and nothing queued, hidden messages included.")
    var untilIdle = false

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let untilIdle = untilIdle
        try await common.withDeployment(makingIt: true, working: true) { deployment in
            let worker = deployment.worker()
            let isReached = try await WorkerRun(worker: worker).run {
                if untilIdle { try await worker.waitUntilIdle() } else { await worker.stop.wait() }
                // A stop ends the wait too, and is no idleness.
                return !worker.stop.isStopping
            }
            if untilIdle, !isReached { throw ExitStatus.interrupted }
        }
    }
}
