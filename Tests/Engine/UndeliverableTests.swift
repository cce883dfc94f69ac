// Chunks whose receives are used up: by processes that die with them in hand, or because nobody can handle them.
import Logging
import MemoryDriver
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("Chunks whose receives are used up")
struct UndeliverableTests {
    private let context: EngineContext
    private let sinks = FaultSinks(kind: .prompt, fault: nil)
    private let job: Job
    private let steps: Steps

    init() {
        let clock = SkippingClock()
        let random = SeededRandomSource(seed: 3)
        var logger = Logger(label: "undeliverable")
        logger.logLevel = .critical
        context = EngineContext(
            backend: MemoryBackend(clock: clock).open(isAtomic: true),
            parts: FaultParts(sinks: sinks),
            clock: clock,
            random: random,
            logger: logger
        )
        job = Job(
            key: JobKey(systemAccountID: "local", indexName: "index", id: JobID(now: clock.now, random: random)),
            reindexType: .post,
            concurrency: 2,
            source: "fixed:",
            sink: "sinks:",
            sourceDescription: SourceDescription(fingerprint: "fixed"),
            now: clock.now
        )
        steps = Steps(context)
    }

    @Test("are delivered after all when it was the workers that died")
    func died() async throws {
        try await extract()
        for _ in 0..<Housekeeper.returnsMax {
            try await useUpReceives()
            try await steps.emptyDeadLetterQueues()
        }
        try await context.clock.sleep(for: .seconds(60))
        let ended = try await moveOn()
        #expect(ended.status == .completed)
        #expect(ended.completedDocCount == FixedSource.delivered.count)
        #expect(sinks.held == FixedSource.delivered)
    }

    @Test("become dead letters that say so when nobody can ever handle them")
    func neverHandled() async throws {
        try await extract()
        for _ in 0...Housekeeper.returnsMax {
            try await useUpReceives()
            try await steps.emptyDeadLetterQueues()
        }
        let ended = try await moveOn()
        #expect(ended.status == .completedWithFailures)
        #expect(ended.deadLetteredDocCount == FixedSource.delivered.count)
        #expect(sinks.held.isEmpty)
        let dead = try await DeadLetters(context).list(job.id, limit: 100, after: nil).letters
        #expect(dead.count == FixedSource.delivered.count)
        #expect(dead.allSatisfy { $0.reason.hasPrefix("undeliverable") && !$0.payload.isEmpty })
    }

    private func extract() async throws {
        let match = SliceMatch.text(
            job: job,
            source: SourceDescription(fingerprint: "fixed"),
            transform: PlainTransform()
        )
        try await JobStore(context).create(job, match: match)
        try await steps.launch(job)
        for slice in 0..<job.concurrency { try await steps.extract(job, slice) }
    }

    /// Receives what there is, again and again, without handling it, until nothing can be received any more.
    private func useUpReceives() async throws {
        let queue = context.backend.queues.replay
        var most = 0
        while true {
            // What was put off comes after a while.
            try await context.clock.sleep(for: .seconds(60))
            let messages = try await queue.receive(limit: 100, invisible: .seconds(1), wait: .zero)
            most = max(most, messages.map(\.receiveCount).max() ?? 0)
            guard !messages.isEmpty else { break }
        }
        #expect(most == 8, "the queue gives a message up after 8 receives")
    }

    private func moveOn() async throws -> Job {
        try await steps.replay()
        try await steps.book()
        try await steps.finish()
        return try await JobStore(context).get(job.id)
    }
}
