// Changes the settings of a job, while it runs too: `sluice job set`.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct JobSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change a job's settings; workers feel it within a second.",
        discussion: "The number of slices is fixed when a job is created."
    )

    @OptionGroup var job: JobArgument

    @Option(help: "Records a second over all workers, or unlimited.")
    var rate: String?

    @Option(help: "Deliveries at once in each worker, 1 to 256, or auto: each worker finds out.")
    var deliveryConcurrency: String?

    @Option(help: "Dead letters at which the job pauses: 500, or 1%, or off.")
    var failureBudget: String?

    @Option(help: "A record that can't be read pauses the job, or becomes a dead letter.")
    var onBadRecord: BadRecordChoice?

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let id = try job.jobID
        let settings = try settings()
        try await common.withDeployment { deployment in
            try await deployment.control.set(id, settings)
            output.write(try await deployment.job(id).record())
        }
    }

    /// - Throws: `JobError.field` if nothing is to be set, or something is no number.
    func settings() throws(JobError) -> JobControl.Settings {
        var settings = JobControl.Settings()
        if let rate { settings.rate = .some(try Limit.rate(rate)) }
        if let deliveryConcurrency {
            settings.deliveryConcurrency = .some(try Limit.deliveryConcurrency(deliveryConcurrency))
        }
        if let failureBudget { settings.failureBudget = .some(Limit.failureBudget(failureBudget)) }
        settings.onBadRecord = onBadRecord?.value
        guard rate != nil || deliveryConcurrency != nil || failureBudget != nil || onBadRecord != nil else {
            throw .field(
                "set",
                "names nothing to change; add --rate, --delivery-concurrency, --failure-budget or --on-bad-record"
            )
        }
        return settings
    }
}
