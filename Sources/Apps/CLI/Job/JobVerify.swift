// Compares what a job's destination holds with its source: `sluice job verify`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct JobVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compare a job's destination with its source, record by record.",
        discussion: """
            Reads the source again and compares what the job makes of it with what the destination holds: matching, \
            missing, different, extra. Differences are looked at a second time, for writes may be on their way. Records \
            that a rule left out, and dead letters, are expected to be missing. Exit code 3 if something is not as it \
            should be.
            """
    )

    @OptionGroup var job: JobArgument

    @Flag(help: "Deliver missing and different records again, and compare them once more.")
    var repair = false

    @Option(help: "Seconds until differences are looked at again, 0 to 3600.")
    var settle = 2.0

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard (0...3600).contains(settle) else {
            throw ValidationError("settle must be 0 to 3600 seconds, is \(settle)")
        }
    }

    func run() async throws {
        let id = try job.jobID
        let report = try await common.withDeployment { deployment in
            var options = VerificationOptions()
            options.repairs = repair
            options.settle = .milliseconds(Int64(settle * 1000))
            options.progress = VerifyProgress(clock: deployment.context.clock).note
            return try await Verification(deployment.context, options: options).run(id)
        }
        output.write(report.record(of: id))
        if !report.isClean { throw ExitStatus.completedWithFailures }
    }
}

extension VerificationReport {
    /// The report's counts, and the findings that are named.
    func record(of job: JobID) -> JSONObject {
        var record: JSONObject = ["reindex_id": .string(job.text)]
        let counts: [(String, Int?)] = [
            ("compared", compared), ("matching", matching), ("missing", missing), ("different", different),
            ("extra", extra), ("expected_missing_skipped", expectedMissingSkipped),
            ("expected_missing_dead_letters", expectedMissingDead), ("settled", settled),
            ("source_changed_since", changedSince), ("not_rechecked", notRechecked), ("repaired", repaired),
        ]
        for (name, count) in counts { record[name] = count.map { .number(JSONNumber($0)) } ?? .null }
        record["findings"] = .array(
            findings.map {
                ["_id": .string($0.id), "finding": .string($0.kind.rawValue), "detail": .string($0.detail)]
            }
        )
        return record
    }
}
