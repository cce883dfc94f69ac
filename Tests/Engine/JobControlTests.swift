// What operators may wish, and what becomes of it.
import Logging
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("Job control")
struct JobControlTests {
    private let clock = ManualClock()
    private let world: FixedWorld
    private let control: JobControl
    private var context: EngineContext { world.context }
    private var job: Job { world.job }

    init() {
        world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), clock: clock)
        control = JobControl(world.context)
    }

    @Test("a resume while the job is still pausing launches it anew")
    func resumedWhilePausing() async throws {
        try await world.create()
        let steps = Steps(context)
        try await steps.launch(job)
        #expect(try await control.pause(job.id).status == .pausing)
        #expect(try await control.resume(job.id).status == .pending)
        try await steps.launch(job)
        let again = try await JobStore(context).get(job.id)
        #expect(again.status == .inProgress)
        #expect(again.launchNumber == 2)
        for slice in 0..<job.concurrency { try await steps.extract(job, slice) }
        try await steps.replay()
        try await steps.book()
        try await steps.finish()
        let ended = try await JobStore(context).get(job.id)
        #expect(ended.status == .completed)
        #expect(ended.completedDocCount == FixedSource.delivered.count)
    }

    @Test("a launch that came while the job was paused does not stand in the way of the next one")
    func refusedLaunch() async throws {
        try await world.create()
        let service = ExtractionService(
            context,
            cache: JobCache(context),
            gauge: InFlightGauge(context),
            stop: StopSignal()
        )
        // Nobody had begun with it, so that its next launch bears the same number.
        let launch = Launch(job: job.jobKey, number: 1)
        #expect(try await control.pause(job.id).status == .paused)
        #expect(try await !service.launch(launch))
        #expect(try await control.resume(job.id).status == .pending)
        #expect(try await service.launch(launch))
        #expect(try await JobStore(context).get(job.id).status == .inProgress)
        #expect(try await !service.launch(launch))
    }

    @Test("the feed shows a resume of a job that was still pausing as a launch")
    func trigger() throws {
        func change(_ old: JobStatus, _ new: JobStatus) throws -> TableChange {
            var job = Job(
                key: JobKey(systemAccountID: "a", indexName: "i", id: try JobID("2026-01-02-03-04-05-0123abcd")),
                reindexType: .post,
                concurrency: 1,
                source: "s:",
                sink: "s:",
                sourceDescription: SourceDescription(fingerprint: ""),
                now: clock.now
            )
            job.launchNumber = 3
            job.status = old
            let before = try job.attributes()
            job.status = new
            return TableChange(key: job.key, old: before, new: try job.attributes())
        }
        for old in [JobStatus.paused, .pausing] {
            #expect(try Trigger.pendingRecord(change(old, .pending))?[Job.launchNumber.name] == .int(3))
        }
        #expect(try Trigger.pendingRecord(change(.pending, .pending)) == nil)
        #expect(try Trigger.pendingRecord(change(.inProgress, .pausing)) == nil)
    }
}
