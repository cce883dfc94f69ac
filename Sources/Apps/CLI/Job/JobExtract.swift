// Reads one launch of a job to its end, in a process that was started for it: `sluice job extract`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine
import Synchronization

struct JobExtract: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extract",
        abstract: "Read the slices of one job, for one launch; what Jobs in a cluster run.",
        discussion: """
            Ends with 0 when all slices have been read, and when the job is not to be read any more: paused, at its end, or \
            launched anew. SIGTERM stops at the next checkpoint and ends with 75; started again, it goes on from there. \
            Deliveries and books are for workers or functions elsewhere.
            """
    )

    @OptionGroup var job: JobArgument

    @Option(help: "Which launch of the job: 1 for its start, one more for each resume.")
    var launch: Int

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        guard launch >= 1 else { throw JobError.field("launch", "must be 1 or more, is \(launch)") }
        try await common.withDeployment(working: true) { deployment in
            let launch = Launch(job: try await deployment.jobs.get(id).jobKey, number: launch)
            let extraction = deployment.extraction(of: launch)
            let end = Ended()
            _ = try await WorkerRun(stop: extraction.stop) {
                end.note(try await extraction.end())
            }.run {
                await extraction.stop.wait()
                return false
            }
            switch end.noted {
            case .finished?: StandardError.write("sluice: all slices of \(id) have been read\n")
            case .notWanted(let status?)?:
                StandardError.write("sluice: \(id) is \(status); launch \(launch.number) is over\n")
            case .notWanted(nil)?: StandardError.write("sluice: \(id) is gone\n")
            case .stopped?, nil: throw ExitStatus.interrupted
            }
        }
    }
}

/// How a run ended, told by the task that ran it.
private final class Ended: Sendable {
    private let end = Mutex<ExtractionRun.End?>(nil)

    var noted: ExtractionRun.End? { end.withLock { $0 } }

    func note(_ end: ExtractionRun.End) {
        self.end.withLock { $0 = end }
    }
}
