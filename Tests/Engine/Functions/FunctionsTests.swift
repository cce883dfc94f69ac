// A job by calls alone: asked for by a bare record, delivered and booked in batches, ended by a tick.
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("The engine as functions", .timeLimit(.minutes(10)))
struct FunctionsTests {
    private let sinks = FaultSinks(kind: .prompt, fault: nil)

    @Test(
        "a job is taken from a bare record to its end, with exact books, however often a call is repeated",
        arguments: [1, 2]
    )
    func wholeJob(times: Int) async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        try await platform.extract()
        #expect(platform.launcher.launched == ["\(platform.job.id)-1"])
        try await platform.work(times: times)
        try await platform.functions.tick(until: platform.end)
        let job = try await platform.stored
        #expect(job.status == .completed)
        #expect(job.completedDocCount == FixedSource.delivered.count)
        #expect(job.skippedDocCount == FixedSource.skipped)
        #expect(job.redeliveredDocCount == 0)
        #expect(sinks.held == FixedSource.delivered)
        #expect(try await platform.record["note"] == .string("left alone"))
    }

    @Test("an asynchronous sink is asked by the tick")
    func confirms() async throws {
        let later = FaultSinks(kind: .later, fault: nil)
        let platform = try CallingPlatform(FaultParts(sinks: later))
        try await platform.extract()
        try await platform.work()
        #expect(try await platform.stored.status == .inProgress)
        for _ in 0..<3 {
            platform.clock.advance(by: .seconds(60))
            try await platform.functions.tick(until: platform.end)
            try await platform.work()
        }
        #expect(try await platform.stored.status == .completed)
        #expect(later.held == FixedSource.delivered)
    }

    @Test("a body that nobody can read fails only its own message", arguments: ["", "{}", "[1", #"{"v":99}"#, "null"])
    func poisoned(body: String) async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        try await platform.extract()
        let queues = platform.context.backend.queues
        for queue in [queues.replay, queues.progress] {
            try await queue.send([OutgoingMessage(body: Array(body.utf8))])
        }
        let undelivered = try await platform.drain(queues.replay) { batch in
            await platform.functions.deliver(batch, until: platform.end)
        }
        let unbooked = try await platform.drain(queues.progress) { batch in
            await platform.functions.book(batch, until: platform.end)
        }
        #expect([undelivered, unbooked] == [1, 1])
        #expect(try await platform.stored.status == .completed)
        #expect(sinks.held == FixedSource.delivered)
    }

    @Test("what is not delivered by the deadline comes again later, and uses up no receives")
    func deadline() async throws {
        let stuck = StuckOnce(then: sinks.sink)
        let platform = try CallingPlatform(StuckParts(sink: stuck))
        try await platform.extract()
        let replay = platform.context.backend.queues.replay
        let all = try await replay.depth().visible
        let batch = try await replay.receive(limit: 10, invisible: .seconds(60), wait: .zero)
        #expect(batch.count == all)
        let again = try await withThrowingTaskGroup(of: Set<MessageReceipt>.self) { group in
            let end = platform.clock.now.advanced(by: .seconds(20))
            group.addTask { await platform.functions.deliver(batch, until: end) }
            await stuck.reached()
            platform.clock.advance(by: .seconds(20))
            return try #require(try await group.next())
        }
        #expect(again.isEmpty, "copies of them come instead")
        try await replay.delete(batch.map(\.receipt))
        stuck.loosen()
        platform.clock.advance(by: .seconds(900))
        let copies = try await replay.receive(limit: 10, invisible: .zero, wait: .zero)
        #expect(!copies.isEmpty)
        #expect(copies.allSatisfy { $0.receiveCount == 1 })
        try await platform.work()
        #expect(try await platform.stored.status == .completed)
        #expect(sinks.held == FixedSource.delivered)
    }

    @Test("a call does not wait for a job's rate: what is not its turn comes later, and uses up no receives")
    func rate() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        try await platform.extract()
        var slow = JobControl.Settings()
        slow.rate = .some(0.1)
        try await JobControl(platform.context).set(platform.job.id, slow)
        let replay = platform.context.backend.queues.replay
        var calls = 0
        while try await platform.stored.status != .completed {
            // No time passes in a call.
            let began = platform.clock.now
            try await platform.drain(replay) { await platform.functions.deliver($0, until: platform.end) }
            try await platform.work()
            #expect(platform.clock.now == began)
            platform.clock.advance(by: .seconds(11))
            calls += 1
            try #require(calls < 200)
        }
        #expect(calls > 3)
        #expect(sinks.held == FixedSource.delivered)
        #expect(try await platform.stored.redeliveredDocCount == 0)
    }

    @Test("a change that can't be launched comes again, and those behind it are launched all the same")
    func launchFails() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        let change = try await platform.ask()
        platform.launcher.fails(PortError(.unavailable, "the cluster is away"))
        let unreadable = TableChange(key: ItemKey("x", "y"), old: nil, new: ["job_status": .string("pending")])
        let removed = TableChange(key: platform.job.itemKey, old: [:], new: nil)
        #expect(await platform.functions.launch([removed, change, unreadable], until: platform.end) == [1])
        platform.launcher.fails(nil)
        #expect(await platform.functions.launch([removed, change, unreadable], until: platform.end).isEmpty)
        #expect(platform.launcher.launched == ["\(platform.job.id)-1"])
    }

    @Test(
        "a cluster that is away for ten minutes loses no launch, and is no reason to stop a job",
        arguments: [false, true]
    )
    func clusterAway(isReading: Bool) async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        let change = try await platform.ask()
        if isReading {
            #expect(await platform.functions.launch([change], until: platform.end).isEmpty)
            try await platform.steps.launch(try await platform.stored)
        }
        platform.launcher.fails(PortError(.unavailable, "the cluster is away"))
        for _ in 0..<10 {
            if !isReading { #expect(await platform.functions.launch([change], until: platform.end) == [0]) }
            platform.clock.advance(by: .seconds(60))
            try await platform.functions.tick(until: platform.end)
            #expect(try await platform.stored.status == (isReading ? .inProgress : .pending))
        }
        platform.launcher.fails(nil)
        // Its change may have been given up by now.
        try await platform.functions.tick(until: platform.end)
        #expect(platform.launcher.launched == ["\(platform.job.id)-1"])
        #expect(try await platform.stored.status == (isReading ? .inProgress : .pending))
    }

    @Test("a record seen twice at the same moment becomes one job, and its slices are made once")
    func twiceAtOnce() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        let change = try await platform.ask()
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let failed = await platform.functions.launch([change], until: platform.end)
                    #expect(failed.isEmpty)
                }
            }
        }
        #expect(platform.launcher.launched.count == 1)
        let job = try await platform.stored
        try await platform.steps.launch(job)
        try await platform.steps.extract(job, 0)
        let before = try await platform.context.slices(of: job.id)
        // The change comes once more, long after.
        #expect(await platform.functions.launch([change], until: platform.end).isEmpty)
        #expect(try await platform.context.slices(of: job.id) == before)
    }

    @Test("a record that no job can be made of fails, and says why where jobs are looked up")
    func unfit() async throws {
        let problem = JobError.field("concurrency", "must be 1 to 256")
        let platform = try CallingPlatform(FaultParts(sinks: sinks), problem: problem)
        #expect(await platform.functions.launch([try await platform.ask()], until: platform.end).isEmpty)
        let record = try await platform.record
        #expect(record["job_status"] == .string("failed"))
        #expect(record["status_reason"] == .string("concurrency: must be 1 to 256"))
        #expect(platform.launcher.launched.isEmpty)
        let store = JobStore(platform.context)
        let error = await #expect(throws: JobError.self) { _ = try await store.get(platform.job.id) }
        #expect("\(try #require(error))".contains("must be 1 to 256"))
        #expect(try await store.list().isEmpty)
    }

    @Test("a record whose source is away stays as it is, and its change comes again")
    func sourceAway() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks), problem: SourceError.transient("it is away"))
        let change = try await platform.ask()
        #expect(await platform.functions.launch([change], until: platform.end) == [0])
        #expect(try await platform.record["job_status"] == .string("pending"))
    }

    @Test("a record becomes a job with all of its slices, although making one of them fails at first")
    func lostSlices() async throws {
        let calls = Tally()
        let platform = try CallingPlatform(FaultParts(sinks: sinks)) { backend in
            let hooked = HookedTables(base: backend.tables) { (call, _) throws(PortError) in
                // The record is written first, by the control plane.
                guard call == "transact", calls.add() == 2 else { return }
                throw PortError(.timedOut, "no answer came")
            }
            return backend.replacing(tables: hooked)
        }
        let change = try await platform.ask()
        async let failed = platform.functions.launch([change], until: platform.end)
        // The deadline's, and that of the next try.
        try await platform.clock.sleepers(atLeast: 2)
        platform.clock.advanceToNextDeadline()
        #expect(await failed.isEmpty)
        #expect(try await platform.context.slices(of: platform.job.id).count == 2)
    }

    @Test(
        "a record that contradicts its keys is refused by the field's name",
        arguments: ["system_account_id", "index_name"]
    )
    func contradiction(field: String) async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        let change = try await platform.ask([field: .string("another")])
        #expect(await platform.functions.launch([change], until: platform.end).isEmpty)
        guard case .string(let reason)? = try await platform.record["status_reason"] else {
            Issue.record("no reason is given")
            return
        }
        #expect(reason.hasPrefix(field))
    }

    @Test("a bare record whose source is away holds up no other")
    func othersGoOn() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        for account in ["a", "b", "z"] {
            let record: AttributeMap = [
                "pk": .string(account), "sk": .string(platform.job.sortKey), "job_status": .string("pending"),
                "away": .bool(true),
            ]
            let key = ItemKey(account, platform.job.sortKey)
            try await platform.context.backend.tables.transact([TableAction(Job.schema, key, .put(record))])
        }
        _ = try await platform.ask()
        try await platform.functions.tick(until: platform.end)
        #expect(try await platform.stored.status == .pending)
        let away = try await platform.context.backend.tables.get(ItemKey("a", platform.job.sortKey), in: Job.schema)
        #expect(away?["job_status"] == .string("pending"))
        #expect(away.map(Job.isBare) == true)
    }

    @Test("a launch that would be refused for ever pauses its job, and says why")
    func refusedLaunch() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        platform.launcher.fails(PortError(.invalidRequest, "\"lots\" is no quantity"))
        #expect(await platform.functions.launch([try await platform.ask()], until: platform.end).isEmpty)
        let job = try await platform.stored
        #expect(job.status == .paused)
        #expect(job.statusReason?.contains("\"lots\" is no quantity; mend that, then resume the job") == true)
    }

    @Test("a tick that launches hears a refusal too, and a change that comes late stops no job that runs")
    func refusedLater() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        let change = try await platform.ask()
        platform.launcher.fails(PortError(.unavailable, "the cluster is away"))
        #expect(await platform.functions.launch([change], until: platform.end) == [0])
        platform.launcher.fails(PortError(.invalidRequest, "\"lots\" is no quantity"))
        platform.clock.advance(by: LaunchWatch.patience)
        try await platform.functions.tick(until: platform.end)
        #expect(try await platform.stored.status == .paused)
        try await JobControl(platform.context).resume(platform.job.id)
        try await platform.steps.launch(try await platform.stored)
        #expect(await platform.functions.launch([change], until: platform.end).isEmpty)
        #expect(try await platform.stored.status == .inProgress)
    }

    @Test("a job's record that somebody has spoilt is told by its attribute, and stops no other job")
    func spoilt() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        try await platform.extract()
        let other = JobKey(systemAccountID: "other", indexName: "index", id: platform.job.id)
        var record = try await platform.record
        record["pk"] = .string("other")
        record["system_account_id"] = .string("other")
        record["job_status"] = .string("Paused")
        try await platform.context.backend.tables.transact([TableAction(Job.schema, other.itemKey, .put(record))])
        try await platform.work()
        let error = await #expect(throws: PortError.self) { try await platform.functions.tick(until: platform.end) }
        #expect(error?.message.contains("job_status: ") == true, "\(String(describing: error))")
        #expect(try await platform.stored.status == .completed)
        let (jobs, problems) = try await JobStore(platform.context).listing()
        #expect(jobs.map(\.jobKey) == [platform.job] && problems.count == 1)
    }

    @Test("a destination that doesn't answer keeps a tick for half of its time")
    func silentDestination() async throws {
        let silent = Silent(FaultSinks(kind: .later, fault: nil))
        let platform = try CallingPlatform(StuckParts(sink: silent))
        try await platform.extract()
        try await platform.work()
        platform.clock.advance(by: .seconds(60))
        let begun = platform.clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await platform.functions.tick(until: begun.advanced(by: .seconds(40))) }
            await silent.reached()
            platform.clock.advance(by: .seconds(20))
            try await group.waitForAll()
        }
        #expect(platform.clock.now == begun.advanced(by: .seconds(20)))
        #expect(try await platform.stored.status == .inProgress)
    }

    @Test("a bare record whose change was lost is found by the tick")
    func lostChange() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        _ = try await platform.ask()
        try await platform.functions.tick(until: platform.end)
        #expect(try await platform.stored.status == .pending)
        platform.clock.advance(by: LaunchWatch.patience)
        try await platform.functions.tick(until: platform.end)
        #expect(platform.launcher.launched == ["\(platform.job.id)-1"])
    }

    @Test(
        "a job whose extraction is over before its source was read pauses, and says why",
        arguments: [LaunchStanding.failed(reason: "BackoffLimitExceeded"), .gone, .ended],
        [false, true]
    )
    func extractionOver(standing: LaunchStanding, hasBegun: Bool) async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        #expect(await platform.functions.launch([try await platform.ask()], until: platform.end).isEmpty)
        if hasBegun {
            let job = try await platform.stored
            try await platform.steps.launch(job)
            try await platform.steps.extract(job, 0)
        }
        platform.launcher.says(standing)
        try await platform.functions.tick(until: platform.end)
        #expect(try await platform.stored.status == (hasBegun ? .inProgress : .pending), "it may just be starting")
        platform.clock.advance(by: LaunchWatch.patience)
        try await platform.functions.tick(until: platform.end)
        let job = try await platform.stored
        #expect(job.status == .paused || job.status == .pausing)
        #expect(job.statusReason?.contains("\(platform.job.id)-1") == true)
        if case .failed(let why) = standing { #expect(job.statusReason?.contains(why) == true) }
    }

    @Test("a job whose extraction can't begin says why, until it does")
    func extractionWaits() async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        #expect(await platform.functions.launch([try await platform.ask()], until: platform.end).isEmpty)
        platform.launcher.says(.waiting(reason: "there is no room"))
        platform.clock.advance(by: LaunchWatch.patience)
        try await platform.functions.tick(until: platform.end)
        let job = try await platform.stored
        #expect(job.status == .pending)
        #expect(job.statusReason == "its extraction \(platform.job.id)-1 has not begun: there is no room")
        try await platform.steps.launch(job)
        platform.clock.advance(by: LaunchWatch.patience)
        try await platform.functions.tick(until: platform.end)
        let begun = try await platform.stored
        #expect(begun.status == .inProgress && begun.statusReason == nil)
    }

    @Test(
        "a job whose extraction is at work, or of which nobody can tell, goes on",
        arguments: [LaunchStanding.running, .unknown]
    )
    func extractionRuns(standing: LaunchStanding) async throws {
        let platform = try CallingPlatform(FaultParts(sinks: sinks))
        #expect(await platform.functions.launch([try await platform.ask()], until: platform.end).isEmpty)
        try await platform.steps.launch(try await platform.stored)
        platform.launcher.says(standing)
        platform.clock.advance(by: LaunchWatch.patience * 2)
        try await platform.functions.tick(until: platform.end)
        #expect(try await platform.stored.status == .inProgress)
    }
}

private struct StuckParts: JobParts {
    let sink: any RecordSink

    func source(for job: Job) throws(JobError) -> any RecordSource { FixedSource() }
    func transform(for job: Job) throws(JobError) -> any RecordTransform { PlainTransform() }
    func sink(for job: Job) throws(JobError) -> any RecordSink { sink }
    func destination(of job: Job) -> String? { nil }
    func checkSink(of job: Job) throws(JobError) {}
    func keepsDigests(of job: Job) -> Bool { false }
}

/// Accepts, and never answers what became of it.
private final class Silent: ConfirmingSink {
    private let sinks: FaultSinks
    private let arrivals = AsyncStream.makeStream(of: Void.self)

    init(_ sinks: FaultSinks) {
        self.sinks = sinks
    }

    func reached() async {
        for await _ in arrivals.stream { return }
    }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer { await sinks.sink.deliver(request) }

    func confirm(_ receipt: String, for request: ConfirmationRequest) async -> SluiceCore.Confirmation {
        arrivals.continuation.yield()
        for await _ in AsyncStream<Never>.makeStream().stream {}
        return .open
    }
}

/// Answers nothing before it is loosened.
private final class StuckOnce: RecordSink {
    private let next: any RecordSink
    private let isLoose = Mutex(false)
    private let arrivals = AsyncStream.makeStream(of: Void.self)

    init(then next: any RecordSink) {
        self.next = next
    }

    func loosen() { isLoose.withLock { $0 = true } }

    func reached() async {
        for await _ in arrivals.stream { return }
    }

    func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        if isLoose.withLock({ $0 }) { return await next.deliver(request) }
        arrivals.continuation.yield()
        for await _ in AsyncStream<Never>.makeStream().stream {}
        return .unknown(reason: "cancelled", after: nil)
    }
}
