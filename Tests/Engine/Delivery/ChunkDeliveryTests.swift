// What becomes of records when whole requests fail: an outage stops the job, a poison record is found.
import SluiceCore
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("Deliveries whose requests fail as a whole", .timeLimit(.minutes(10)))
struct ChunkDeliveryTests {
    private let sink: MoodySink
    private let world: FixedWorld
    private var steps: Steps { world.steps }

    init() {
        var settings = EngineSettings()
        settings.chunkRecordsMax = 9
        sink = MoodySink()
        world = FixedWorld(MoodyParts(sink: sink), settings: settings)
    }

    @Test("a destination that takes nothing stops the job, and no record is given up")
    func outage() async throws {
        try await world.extract()
        sink.mood.withLock { $0 = .down }
        let halted = await #expect(throws: DeliveryHalted.self) { try await steps.replay() }
        #expect(halted?.reason.contains("took nothing in 8 attempts") == true, "\(halted?.reason ?? "")")
        #expect(try await world.end().deadLetteredDocCount == 0)

        sink.mood.withLock { $0 = .well }
        try await world.context.clock.sleep(for: .seconds(120))
        try await steps.replay()
        let ended = try await world.end()
        #expect(ended.status == .completed)
        #expect(sink.held.withLock { $0 } == FixedSource.delivered)
    }

    @Test(
        "a record that breaks every request it is in is found, and the others arrive",
        arguments: ["d0.0.0", "d1.2.2"]
    )
    func poison(id: String) async throws {
        sink.mood.withLock { $0 = .breaksOver(id) }
        try await world.extract()
        // Another chunk goes through first, as it does while several are under way.
        try await steps.replay()
        let ended = try await world.end()
        #expect(ended.status == .completedWithFailures)
        #expect(ended.deadLetteredDocCount == 1)
        #expect(sink.held.withLock { $0 } == FixedSource.delivered.subtracting([id]))
        let dead = try await DeadLetters(world.context).list(world.job.id, limit: 10, after: nil).letters
        #expect(dead.map(\.recordID) == [id])
        #expect(dead.first?.reason.hasPrefix("gave up after") == true)
    }
}

private struct MoodyParts: JobParts {
    let sink: MoodySink

    func source(for job: Job) throws(JobError) -> any RecordSource { FixedSource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { sink }
    func destination(of job: Job) -> String? { nil }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { false }
}

/// Fails whole requests, all of them or those with a certain record.
private final class MoodySink: RecordSink {
    enum Mood: Sendable {
        case well, down
        case breaksOver(String)
    }

    let mood = Mutex(Mood.well)
    let held = Mutex<Set<String>>([])

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        let ids = request.positions.map { request.records.id(at: $0) ?? "?" }
        switch mood.withLock({ $0 }) {
        case .down: return .unknown(reason: "no connection", after: nil)
        case .breaksOver(let id) where ids.contains(id): return .unknown(reason: "500", after: nil)
        case .well, .breaksOver: break
        }
        held.withLock { $0.formUnion(ids) }
        return .answered(ids.map { _ in .completed })
    }
}
