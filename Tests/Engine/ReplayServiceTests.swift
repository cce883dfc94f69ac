// What the replay service does with chunks in hand when something fails that is none of their fault.
import SluiceCore
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("The replay service", .timeLimit(.minutes(10)))
struct ReplayServiceTests {
    private let clock = SkippingClock()
    private let sinks: FaultSinks
    private let world: FixedWorld

    init() {
        sinks = FaultSinks(kind: .prompt, fault: nil)
        world = FixedWorld(FaultParts(sinks: sinks), clock: clock, isAtomic: false)
    }

    private func service(_ context: EngineContext) -> ReplayService {
        let cache = JobCache(context)
        let gate = Gate(context, cache: cache)
        let deliverer = Deliverer(context: context, cache: cache, gate: gate, sinks: SinkCache(context))
        return ReplayService(context, deliverer: deliverer, cache: cache, stop: StopSignal())
    }

    @Test(
        "goes on keeping hidden what it has in hand, whatever came of it once",
        arguments: [PortError.Code.unauthorized, .invalidRequest, .unavailable]
    )
    func keepsHidden(code: PortError.Code) async throws {
        let calls = Tally()
        let service = service(
            world.context.hooked(replay: { (call, _) throws(PortError) in
                guard call == "changeVisibility" else { return }
                switch calls.add() {
                case 1: throw PortError(code, "refused once")
                case 2: break
                default: throw PortError(.cancelled, "enough was seen")
                }
            })
        )
        service.inHand.withLock { _ = $0.insert(MessageReceipt(token: "in hand")) }
        let error = await #expect(throws: PortError.self) { try await service.keepHidden() }
        #expect(error?.code == .cancelled)
        #expect(calls.count == 3)
    }

    @Test("an outage of the object store uses up no receive, however long it lasts")
    func outage() async throws {
        try await world.extract()
        let away = world.context.hooked(objects: { (call, _) throws(PortError) in
            if call == "read" { throw PortError(.unavailable, "the object store is away") }
        })
        try await replay(away, rounds: 50)
        #expect(sinks.held.isEmpty)
        try await expectNoneGivenUp()
        clock.advance(by: .seconds(900))
        try await world.steps.replay()
        let ended = try await world.end()
        #expect(ended.status == .completed)
        #expect(ended.completedDocCount == FixedSource.delivered.count)
        #expect(sinks.held == FixedSource.delivered)
    }

    @Test("what is put off for an outage comes again later and later, up to the longest backoff")
    func backsOff() async throws {
        try await world.extract()
        let reads = Tally()
        let away = world.context.hooked(objects: { (call, _) throws(PortError) in
            guard call == "read" else { return }
            reads.add()
            throw PortError(.timedOut, "the object store does not answer")
        })
        let service = service(away)
        let chunks = try await away.backend.queues.replay.depth().total
        for _ in 0..<3600 {
            for message in try await receive(away) { await service.handle(message) }
            clock.advance(by: .seconds(1))
        }
        // 0.5 s to 32 s, then every minute.
        #expect(
            (60 * chunks...70 * chunks).contains(reads.count),
            "\(reads.count) reads of \(chunks) chunks in an hour"
        )
    }

    @Test(
        "a store that forbids reading pauses the job with the reason, and a resume goes on",
        arguments: [false, true]
    )
    func forbidden(wasPaused: Bool) async throws {
        try await world.extract()
        let control = JobControl(world.context)
        // What was queued then drains: this pause holds nothing back.
        if wasPaused { try await control.pause(world.job.id) }
        let denied = world.context.hooked(objects: { (call, _) throws(PortError) in
            if call == "read" { throw PortError(.unauthorized, "403 of the object store") }
        })
        try await replay(denied, rounds: 50)
        try await expectNoneGivenUp()
        try await world.steps.finish()
        let paused = try await JobStore(world.context).get(world.job.id)
        #expect(paused.status == .paused)
        if !wasPaused {
            #expect(paused.holdsDelivery)
            #expect(paused.statusReason == "403 of the object store")
        }
        try await control.resume(world.job.id)
        try await world.steps.launch(world.job)
        clock.advance(by: .seconds(900))
        try await world.steps.replay()
        #expect(try await world.end().status == .completed)
        #expect(sinks.held == FixedSource.delivered)
    }

    @Test("a job at its end can't be paused, and its redrive loses no receives to what has to be mended")
    func forbiddenAtTheEnd() async throws {
        try await world.extract()
        let ended = [Job.status.set(.completedWithFailures)]
        try await world.context.jobs.update(world.job.key, ended, if: .itemExists)
        let denied = world.context.hooked(objects: { (call, _) throws(PortError) in
            if call == "read" { throw PortError(.unauthorized, "403 of the object store") }
        })
        try await replay(denied, rounds: 50)
        try await expectNoneGivenUp()
    }

    private func receive(_ context: EngineContext) async throws -> [ReceivedMessage] {
        try await context.backend.queues.replay.receive(
            limit: 100,
            invisible: context.settings.visibility,
            wait: .zero
        )
    }

    private func replay(_ context: EngineContext, rounds: Int) async throws {
        let service = service(context)
        for _ in 0..<rounds {
            for message in try await receive(context) { await service.handle(message) }
            try await world.steps.emptyDeadLetterQueues()
            clock.advance(by: .seconds(60))
        }
    }

    /// Neither by the dead-letter queue nor in the books, and nothing is near it.
    private func expectNoneGivenUp() async throws {
        let queues = world.context.backend.queues
        #expect(try await queues.replayDeadLetters.depth().total == 0)
        #expect(try await DeadLetters(world.context).list(world.job.id, limit: 100, after: nil).letters.isEmpty)
        clock.advance(by: .seconds(900))
        let left = try await queues.replay.receive(limit: 100, invisible: .zero, wait: .zero)
        #expect(!left.isEmpty)
        for message in left {
            #expect(message.receiveCount <= 2)
            #expect(try ChunkMessage(body: message.body).returns == nil)
        }
    }
}

/// Counts from 1.
final class Tally: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }

    @discardableResult
    func add() -> Int {
        value.withLock { value in
            value += 1
            return value
        }
    }
}
