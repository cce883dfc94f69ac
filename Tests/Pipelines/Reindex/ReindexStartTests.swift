// A start hands out the job that it created.
import Logging
import MemoryDriver
import SluiceCore
import SluiceEngine
import SluiceTestKit
import Testing

@testable import ReindexPipeline

@Suite("A start of a reindex")
struct ReindexStartTests {
    @Test("brings its job although no index shows it yet")
    func lagging() async throws {
        let clock = ManualClock()
        let memory = MemoryBackend(clock: clock).open(isAtomic: false)
        let tables = LaggingTables(memory.tables, showing: MemoryTableStore(clock: clock))
        let context = EngineContext(
            backend: Backend(
                tables: tables,
                queues: memory.queues,
                objects: memory.objects,
                feed: memory.feed,
                owners: memory.owners,
                atomic: nil
            ),
            parts: EmptyParts(),
            clock: clock,
            random: SeededRandomSource(seed: 1),
            logger: Logger(label: "start")
        )
        let job = try await ReindexStart(context).start(ReindexRequest(source: "file:///docs.jsonl", sink: "noop:"))
        #expect(job.sourceFingerprint == "empty")
        #expect(try await Table<Job>(tables).get(job.key) == job)
        try await tables.catchUp()
        #expect(try await JobStore(context).get(job.id) == job)
    }
}

private struct EmptyParts: JobParts {
    private struct EmptySource: RecordSource {
        func describe() async throws(SourceError) -> SourceDescription { SourceDescription(fingerprint: "empty") }
        func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) { page.reset() }
        func locate(_ positions: [Int64]) async -> [String?] { positions.map { _ in nil } }
    }

    private struct NoTransform: RecordTransform {
        let fingerprint = "none"

        func transform(
            _ bytes: UnsafeRawBufferPointer,
            range: Range<Int>,
            into batch: inout RecordBatch
        ) -> TransformOutcome { .skipped }
    }

    private struct EmptySink: RecordSink {
        func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
            .answered(request.positions.map { _ in .completed })
        }
    }

    func source(for job: Job) throws(JobError) -> any RecordSource { EmptySource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { NoTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { EmptySink() }
    func destination(of job: Job) -> String? { nil }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { false }
}
