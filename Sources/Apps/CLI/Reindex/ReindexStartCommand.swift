// Creates a job, and with --wait also works on it to its end: `sluice reindex start`.
import ArgumentParser
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct ReindexStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Create a reindexing job and print its id.",
        discussion: """
            A worker does the work (`sluice worker`), in this process too with --wait. With --wait the command ends when \
            the job is at its end or paused, and prints its final record; its exit code says how it ended.
            """
    )

    @Option(
        help: """
            Where records come from: file:///path/to/docs.jsonl, a .gz of it, or a folder; vespa+http://host:8080 or \
            vespa+https. (default: vespa.url)
            """
    )
    var source: String?

    @Option(
        help: """
            Where records go: file:///path/to/out.jsonl (or .gz), noop:, ecommerce+http://host/api/v1 or ecommerce+https. \
            (default: what the index's record implies, at ecommerce.url)
            """
    )
    var sink: String?

    @Option(
        help: "What a file's records look like: plain, or vespa as Vespa keeps documents for Marqo. (default: plain)"
    )
    var shape: RecordShapeChoice?

    @Option(help: "post replaces whole documents, patch updates only --fields.")
    var type = ReindexTypeChoice.post

    @Option(help: "Field names, by comma: what a patch sends.")
    var fields: String?

    @Option(help: "Field names, by comma: a record that already has all of them is skipped.")
    var skipIfPresent: String?

    @Option(help: "Slices read in parallel, 1 to 256; fixed for the job's life. (default: reindex.concurrency, 8)")
    var concurrency: Int?

    @Option(help: "The field that holds a record's id.")
    var idField = Reindex.defaultIDField

    @Flag(help: "Replace the sink's file if it exists.")
    var overwrite = false

    @Option(help: "A record that can't be read pauses the job (stop), or becomes a dead letter and the job goes on.")
    var onBadRecord = BadRecordChoice.stop

    @Option(help: "Records a page should hold, 1 to 10000. (default: reindex.page-size, 1500)")
    var pageSize: Int?

    @Option(help: "Records a second over all workers, or unlimited. (default: reindex.rate, unlimited)")
    var rate: String?

    @Option(help: "Deliveries at once in each worker, 1 to 256, or auto: each worker finds out. (default: auto)")
    var deliveryConcurrency: String?

    @Option(help: "Dead letters at which the job pauses: 500, or 1%, or off. (default: reindex.failure-budget, off)")
    var failureBudget: String?

    @Option(help: "The account of the index; files need none. (default: local)")
    var account: String?

    @Option(help: "The index that is read, which `sluice index set` has made known. (default: the source's file name)")
    var index: String?

    @Option(help: "The index that is written, if it is another.")
    var destinationIndex: String?

    @Flag(help: "Work on the job in this process, and end when it does.")
    var wait = false

    @Flag(help: "Read a sample, show what would be sent and estimate the whole; create nothing and send nothing.")
    var dryRun = false

    @Option(help: "How many records a dry run reads, 1 to 10000.")
    var sample = 100

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func validate() throws {
        guard !(dryRun && wait) else { throw ValidationError("--dry-run creates no job to wait for; leave --wait out") }
        guard (1...10_000).contains(sample) else { throw ValidationError("sample must be 1 to 10000, is \(sample)") }
    }

    func run() async throws {
        if dryRun { return try await tryOut() }
        try await common.withDeployment(makingIt: true, working: wait) { deployment in
            let request = try request(deployment.settings.reindex)
            let job = try await deployment.reindexStart.start(request)
            if job.sink == Reindex.classicSink {
                StandardError.write(
                    "sluice: the index \(job.indexName) is Classic, for its record names no shop: nothing is delivered\n"
                )
            }
            guard wait else {
                switch output.format {
                case .table: StandardOutput.write("\(job.id)\n")
                case .json: output.write(try job.record())
                }
                return
            }
            let ended = try await work(on: job, deployment)
            output.write(try ended.record())
            try ExitStatus(of: ended.status).end()
        }
    }

    private func tryOut() async throws {
        try await common.withDeployment(makingIt: true) { deployment in
            let ready = try await deployment.reindexStart.prepare(try request(deployment.settings.reindex))
            let report = try await DryRun(deployment.context).run(ready, sample: sample)
            output.write(report.record(of: ready.job))
        }
    }

    /// Works until the job is at its end or paused, or a signal comes; the job as it then is.
    private func work(on job: Job, _ deployment: Deployment) async throws -> Job {
        StandardError.write("sluice: job \(job.id) started\n")
        let follower = JobFollower(deployment, job: job.id, display: .standardError())
        let isReached = try await WorkerRun(worker: deployment.worker()).run {
            try await follower.follow()
            return true
        }
        let ended = try await deployment.job(job.id)
        if !isReached, ExitStatus(of: ended.status) == .interrupted {
            StandardError.write("sluice: interrupted; job \(job.id) goes on with `sluice worker`\n")
        }
        return ended
    }

    func request(_ defaults: ReindexDefaults) throws(JobError) -> ReindexRequest {
        var request = ReindexRequest(source: source, sink: sink)
        request.shape = shape?.value
        request.type = type.value
        request.fields = fields.map(Self.names)
        request.skipIfPresent = skipIfPresent.map(Self.names)
        request.concurrency = concurrency ?? defaults.concurrency
        request.idField = idField
        request.overwrite = overwrite
        request.onBadRecord = onBadRecord.value
        request.pageSize = pageSize ?? defaults.pageSize
        request.rate = try rate.map { text throws(JobError) in try Limit.rate(text) } ?? defaults.rate
        request.deliveryConcurrency = try deliveryConcurrency.flatMap { text throws(JobError) in
            try Limit.deliveryConcurrency(text)
        }
        request.failureBudget = failureBudget.map(Limit.failureBudget) ?? defaults.failureBudget
        request.account = account
        request.index = index
        request.destinationIndex = destinationIndex
        return request
    }

    /// Names between commas; nothing at all is an empty list.
    static func names(_ text: String) -> [String] {
        text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
}
