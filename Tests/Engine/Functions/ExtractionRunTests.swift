// One launch's extraction, from its start to each of its ends.
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("The extraction of one launch", .timeLimit(.minutes(10)))
struct ExtractionRunTests {
    private let world: FixedWorld

    init() {
        var settings = EngineSettings()
        settings.tick = .milliseconds(1)
        let parts = FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil))
        world = FixedWorld(parts, clock: WallClock(), isAtomic: false, settings: settings)
    }

    private func run(_ number: Int) -> ExtractionRun {
        ExtractionRun(world.context, launch: Launch(job: world.job.jobKey, number: number))
    }

    private var job: Job {
        get async throws { try await JobStore(world.context).get(world.job.id) }
    }

    @Test("takes on a pending job and ends when all of it has been read")
    func finishes() async throws {
        try await world.create()
        #expect(try await run(1).end() == .finished)
        let job = try await job
        #expect(job.status == .inProgress)
        #expect(job.launchNumber == 1)
        #expect(try await JobStore(world.context).balance(of: job.id).extracted == FixedSource.records)
        #expect(try await world.context.slices(of: job.id).allSatisfy { $0.owner == nil })
    }

    @Test("begins again after a crash where it stood, under the same launch")
    func again() async throws {
        try await world.create()
        try await world.steps.launch(world.job)
        try await world.steps.extract(world.job, 1)
        #expect(try await run(1).end() == .finished)
        #expect(try await JobStore(world.context).balance(of: world.job.id).extracted == FixedSource.records)
    }

    @Test("reads nothing of a job that is paused, or was launched anew, or is not there")
    func notWanted() async throws {
        #expect(try await run(1).end() == .notWanted(nil))
        try await world.create()
        #expect(try await run(2).end() == .notWanted(.pending))
        try await JobControl(world.context).pause(world.job.id)
        #expect(try await run(1).end() == .notWanted(.paused))
        try await JobControl(world.context).resume(world.job.id)
        try await world.steps.launch(world.job)
        #expect(try await run(7).end() == .notWanted(.inProgress))
        #expect(try await JobStore(world.context).balance(of: world.job.id).extracted == 0)
    }

    @Test("leaves other jobs alone")
    func others() async throws {
        try await world.create()
        let other = Launch(
            job: JobKey(
                systemAccountID: "local",
                indexName: "other",
                id: JobID(now: world.context.now, random: SystemRandomSource())
            ),
            number: 1
        )
        #expect(try await ExtractionRun(world.context, launch: other).end() == .notWanted(nil))
        #expect(try await job.status == .pending)
    }

    @Test("stops when it is asked to")
    func stops() async throws {
        try await world.create()
        let run = run(1)
        run.stop.stop()
        #expect(try await run.end() == .stopped)
    }
}
