// The test kit itself: the manual clock, the fault plan and the recording launcher.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("The manual clock", .timeLimit(.minutes(10)))
struct ManualClockTests {
    let clock = ManualClock()

    @Test("moves only by hand, and wakes whose time has come")
    func advance() async throws {
        let start = clock.now
        let soon = Task { try await clock.sleep(until: start.advanced(by: .seconds(1))) }
        let late = Task { try await clock.sleep(until: start.advanced(by: .seconds(9))) }
        try await clock.sleepers(atLeast: 2)
        #expect(clock.now == start)
        clock.advance(by: .seconds(1))
        try await soon.value
        #expect(clock.sleeperCount == 1)
        #expect(clock.advanceToNextDeadline())
        try await late.value
        #expect(clock.now == start.advanced(by: .seconds(9)))
        #expect(!clock.advanceToNextDeadline())
    }

    @Test("does not make wait for what has passed")
    func past() async throws {
        try await clock.sleep(until: clock.now)
        try await clock.sleep(for: .zero)
        #expect(clock.nextDeadline == nil)
    }

    @Test("lets cancelled sleepers and watchers go")
    func cancellation() async throws {
        let sleeper = Task { try await clock.sleep(for: .seconds(1)) }
        let watcher = Task { try await clock.sleepers(atLeast: 5) }
        try await clock.sleepers(atLeast: 1)
        sleeper.cancel()
        watcher.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        await #expect(throws: CancellationError.self) { try await watcher.value }
        #expect(clock.sleeperCount == 0)
    }
}

@Suite("A fault plan")
struct FaultPlanTests {
    let clock = ManualClock()
    let schema = TableSchema(name: "t", sortKey: nil)

    @Test("fails one call, before or after it is applied", arguments: FaultPlan.Moment.allCases)
    func moments(_ moment: FaultPlan.Moment) async throws {
        let plan = FaultPlan(failing: 2, of: [.storeWrite], moment: moment)
        let tables = FaultyTableStore(MemoryTableStore(clock: clock), plan: plan)
        let add = TableAction(schema, ItemKey("p"), .update([.add("n", 1)]))
        try await tables.transact([add])
        #expect(try await tables.get(ItemKey("p"), in: schema)?["n"] == .int(1))
        let error = await #expect(throws: PortError.self) { try await tables.transact([add]) }
        #expect(error?.outcomeUnknown == true)
        let applied = try await tables.get(ItemKey("p"), in: schema)?["n"] == .int(2)
        #expect(applied == (moment == .answerLost))
        try await tables.transact([add])
        #expect(plan.log.map(\.number) == [1, 0, 2, 0, 3])
        #expect(plan.log.map(\.name) == ["transact t", "get t", "transact t", "get t", "transact t"])
        #expect(plan.log.map(\.fault) == [nil, nil, moment, nil, nil])
        #expect(plan.hasStruck)
    }

    @Test("counts over all ports of a backend, and a loop reaches every call")
    func everyCall() async throws {
        var struck: [String] = []
        try await FaultPlan.failingEachCall(moment: .answerLost) { plan in
            let backend = MemoryBackend(clock: clock).open().failing(by: plan)
            try? await backend.queues.replay.send([OutgoingMessage(body: [1])])
            _ = try? await backend.objects.size(of: "a")
            try? await backend.objects.write("a").finish()
            try? await backend.atomic?.commit(AtomicBatch())
            _ = try? await backend.tables.get(ItemKey("p"), in: schema)
            struck += plan.log.filter { $0.fault != nil }.map(\.name)
        }
        #expect(struck.map { $0.prefix { $0 != " " } } == ["send", "size", "write", "finish", "commit", "get"])
    }

    @Test("without a fault the faulty ports keep every promise", arguments: MessageQueueContract.cases)
    func transparent(_ promise: ContractCase<MessageQueueContract.Harness>) async throws {
        let backend = MemoryBackend(clock: clock)
        let plan = FaultPlan()
        try await promise.run(
            .init(
                queue: FaultyQueue(backend.queue(MessageQueueContract.plain), plan: plan),
                redriven: FaultyQueue(backend.queue(MessageQueueContract.redriven), plan: plan),
                deadLetters: FaultyQueue(backend.queue(MessageQueueContract.deadLetters), plan: plan),
                time: .manual(clock)
            )
        )
        #expect(!plan.hasStruck)
    }
}

@Suite("The recording launcher")
struct RecordingLauncherTests {
    @Test("keeps the promises of launchers", arguments: LauncherContract.cases)
    func promise(_ promise: ContractCase<LauncherContract.Harness>) async throws {
        let launcher = RecordingLauncher()
        try await promise.run(.init(launcher: launcher, started: { launcher.started.map(\.name) }))
    }
}
