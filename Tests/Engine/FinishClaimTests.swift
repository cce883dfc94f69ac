// A job's output is put together by one process at a time.
import Logging
import MemoryDriver
import SluiceCore
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("The claim on a job's end")
struct FinishClaimTests {
    @Test("while a process puts the output together, no other begins, and the job ends once")
    func oneAtATime() async throws {
        let scene = try await Scene()
        let second = scene.finisher(as: "second", sink: ScriptedSink {})
        let first = scene.finisher(as: "first", sink: ScriptedSink { try? await second.check(scene.job.jobKey) })
        try await first.check(scene.job.jobKey)
        #expect(scene.assemblies(of: first) == 1)
        #expect(scene.assemblies(of: second) == 0)
        let ended = try #require(try await scene.stored())
        #expect(ended.status == .completed)
        #expect(ended.live == nil)
        #expect(ended.finisher == nil)
        #expect(ended.finisherUntil == nil)
    }

    @Test("a process that is gone leaves the end to the next one at once")
    func gone() async throws {
        let scene = try await Scene()
        let dead = FinishClaim(context: scene.context(as: "dead", sink: ScriptedSink {}), job: scene.job)
        #expect(try await dead.take())
        let next = scene.finisher(as: "next", sink: ScriptedSink {})
        try await next.check(scene.job.jobKey)
        #expect(scene.assemblies(of: next) == 0)
        scene.memory.declareGone(OwnerID("dead"))
        try await next.check(scene.job.jobKey)
        #expect(scene.assemblies(of: next) == 1)
        #expect(try await scene.stored()?.status == .completed)
    }

    @Test("a process that is silent loses the end with its lease, and stops writing the output")
    func silent() async throws {
        let scene = try await Scene()
        let second = scene.finisher(as: "second", sink: ScriptedSink {})
        let first = scene.finisher(
            as: "first",
            sink: ScriptedSink {
                scene.clock.advance(by: .seconds(16))
                try? await second.check(scene.job.jobKey)
            }
        )
        try await first.check(scene.job.jobKey)
        #expect(scene.assemblies(of: second) == 1)
        #expect(scene.failures(of: first) == ["another process is putting the output together"])
        #expect(try await scene.stored()?.status == .completed)
    }
}

/// A job whose only slice is read and settled, and processes that would end it.
private struct Scene {
    let clock = SkippingClock()
    let memory: MemoryBackend
    let job: Job

    init() async throws {
        memory = MemoryBackend(clock: clock)
        let id = JobID(now: clock.now, random: SeededRandomSource(seed: 3))
        var job = Job(
            key: JobKey(systemAccountID: "local", indexName: "index", id: id),
            reindexType: .post,
            concurrency: 1,
            source: "none:",
            sink: "scripted:",
            sourceDescription: SourceDescription(fingerprint: "fixed"),
            now: clock.now
        )
        job.status = .inProgress
        self.job = job
        let context = context(as: "creator", sink: ScriptedSink {})
        try await JobStore(context).create(job, match: "any")
        try await context.slices.update(SliceItem.key(job: id, index: 0), [SliceItem.finished.set(true)])
    }

    func context(as owner: String, sink: ScriptedSink) -> EngineContext {
        var logger = Logger(label: "finish")
        logger.logLevel = .critical
        return EngineContext(
            backend: memory.open(as: OwnerID(owner)),
            parts: Parts(sink: sink),
            clock: clock,
            random: SeededRandomSource(seed: 4),
            logger: logger
        )
    }

    func finisher(as owner: String, sink: ScriptedSink) -> Finisher {
        let context = context(as: owner, sink: sink)
        return Finisher(context: context, cache: JobCache(context), sinks: SinkCache(context))
    }

    func stored() async throws -> Job? {
        try await context(as: "reader", sink: ScriptedSink {}).jobs.get(job.key)
    }

    func assemblies(of finisher: Finisher) -> Int { sink(of: finisher)?.assemblies.withLock { $0 } ?? -1 }
    func failures(of finisher: Finisher) -> [String] { sink(of: finisher)?.failures.withLock { $0 } ?? [] }
    private func sink(of finisher: Finisher) -> ScriptedSink? { (finisher.context.parts as? Parts)?.sink }

    private struct Parts: JobParts {
        let sink: ScriptedSink

        func source(for job: Job) throws(JobError) -> any RecordSource { throw .unknown(job.id) }
        func transform(for job: Job) throws(JobError) -> any RecordTransform { throw .unknown(job.id) }
        func sink(for job: Job) throws(JobError) -> any RecordSink { sink }
        func destination(of job: Job) -> String? { nil }
        func checkSink(of job: Job) throws(JobError) {}
        func keepsDigests(of job: Job) -> Bool { true }
    }
}

/// An output that says how often it was begun, and does something else in the middle.
private final class ScriptedSink: AssemblingSink {
    let assemblies = Mutex(0)
    let failures = Mutex<[String]>([])
    private let meanwhile: @Sendable () async -> Void

    init(_ meanwhile: @escaping @Sendable () async -> Void) {
        self.meanwhile = meanwhile
    }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer { .answered([]) }

    func assemble(_ spans: SpanSource) async throws(SinkError) -> AssembledOutput {
        assemblies.withLock { $0 += 1 }
        await meanwhile()
        do throws(SinkError) {
            while !(try await spans().isEmpty) {}
        } catch {
            if case .transient(let reason) = error { failures.withLock { $0.append(reason) } }
            throw error
        }
        return AssembledOutput(records: 0, bytes: 0)
    }

    func discardPlaces() async throws(SinkError) {}
}
