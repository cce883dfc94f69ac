// Owners on tables: who says goodbye is gone, who falls silent is only not counted.
import Logging
import MemoryDriver
import SluiceCore
import SluiceEngine
import SluiceTestKit
import Synchronization
import Testing

@Suite("Owners on tables", .timeLimit(.minutes(10)))
struct TableOwnersTests {
    let clock = ManualClock()
    let tables: MemoryTableStore

    init() {
        tables = MemoryTableStore(clock: clock)
    }

    private func owners(
        _ name: String,
        on store: (any TableStore)? = nil,
        isOnlooker: Bool = false,
        clock: ManualClock? = nil
    ) async throws -> TableOwners {
        try await TableOwners.open(
            own: OwnerID(name),
            tables: store ?? tables,
            isOnlooker: isOnlooker,
            clock: clock ?? self.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Time in which these beat, and others are silent.
    private func pass(_ seconds: Int, beating owners: [TableOwners]) async {
        for _ in 0..<seconds / 5 {
            clock.advance(by: .seconds(5))
            for owner in owners { _ = await owner.liveCount() }
        }
    }

    @Test("an owner that said goodbye is gone and not counted; nobody else is gone")
    func goodbye() async throws {
        let first = try await owners("first")
        let second = try await owners("second")
        #expect(await second.liveCount() == 2)
        #expect(await !second.isGone(first.own))
        await first.end()
        await pass(20, beating: [second])
        #expect(await second.isGone(first.own))
        #expect(await !second.isGone(second.own))
        #expect(await !second.isGone(OwnerID("unheard of")))
        #expect(await second.liveCount() == 1)
        #expect(await !second.othersAreLive())
    }

    @Test("silence is no proof: an owner that was killed is no longer counted, and never gone")
    func silence() async throws {
        let killed = try await owners("killed")
        let living = try await owners("living")
        await pass(20, beating: [living])
        #expect(await living.liveCount() == 2)
        await pass(40, beating: [living])
        #expect(await living.liveCount() == 1)
        for _ in 0..<50 {
            await pass(600, beating: [living])
            #expect(await !living.isGone(killed.own))
        }
    }

    @Test("all that beat are counted by all, for as long as they like")
    func beating() async throws {
        var all: [TableOwners] = []
        for number in 1...5 { all.append(try await owners("owner-\(number)")) }
        for _ in 0..<4 {
            await pass(60, beating: all)
            for owner in all { #expect(await owner.liveCount() == 5) }
        }
    }

    @Test("an owner that beats again after a long sleep is counted again, unless it had ended")
    func sleeper() async throws {
        let sleeper = try await owners("sleeper")
        let living = try await owners("living")
        await pass(7200, beating: [living])
        #expect(await !living.othersAreLive())
        await pass(20, beating: [sleeper, living])
        #expect(await living.othersAreLive())
        await sleeper.end()
        await pass(60, beating: [sleeper, living])
        #expect(await !living.othersAreLive())
        #expect(await living.isGone(sleeper.own))
    }

    @Test("onlookers see who works, and are not seen")
    func onlookers() async throws {
        let early = try await owners("early", isOnlooker: true)
        #expect(await !early.othersAreLive())
        #expect(await early.liveCount() == 1)
        let worker = try await owners("worker")
        #expect(await worker.liveCount() == 1)
        let late = try await owners("late", isOnlooker: true)
        #expect(await late.othersAreLive())
        #expect(await late.liveCount() == 1)
        await late.end()
        #expect(try await tables.scan(TableOwners.schema, limit: 10, after: nil).items.count == 1)
    }

    @Test("a clock that is off makes nobody disappear, and keeps nobody alive", arguments: [-300, 300])
    func clocks(seconds: Int) async throws {
        let offset = ManualClock(now: clock.now.advanced(by: .seconds(seconds)))
        let off = try await owners("off", clock: offset)
        let right = try await owners("right")
        for _ in 0..<6 {
            clock.advance(by: .seconds(10))
            offset.advance(by: .seconds(10))
            _ = await off.liveCount()
            _ = await right.liveCount()
        }
        #expect(await right.liveCount() == 2)
        #expect(await off.liveCount() == 2)
        await pass(60, beating: [right])
        #expect(await right.liveCount() == 1)
    }

    @Test("it is cheap to ask often: the table is asked every 20 seconds at most")
    func cheap() async throws {
        let plan = FaultPlan()
        let owner = try await owners("one", on: FaultyTableStore(tables, plan: plan))
        for _ in 0..<1000 {
            clock.advance(by: .milliseconds(100))
            _ = await owner.liveCount()
            _ = await owner.isGone(OwnerID("two"))
        }
        #expect(plan.callCount <= 2 * 7)
    }

    @Test("who runs it beats every 10 seconds, and ends when it is cancelled")
    func run() async throws {
        let worker = try await owners("worker")
        let plan = FaultPlan()
        let watched = try await owners("watched", on: FaultyTableStore(tables, plan: plan))
        let before = plan.callCount
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watched.run() }
            for _ in 0..<6 {
                try await clock.sleepers(atLeast: 1)
                clock.advanceToNextDeadline()
            }
            try await clock.sleepers(atLeast: 1)
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(plan.callCount - before == 2 * 6)
        #expect(await worker.liveCount() == 2)
    }

    @Test("while the table fails, what was known before holds")
    func outage() async throws {
        let gate = BrokenTables(tables)
        let owner = try await owners("one", on: gate)
        let other = try await owners("two")
        await pass(30, beating: [owner, other])
        #expect(await owner.liveCount() == 2)
        gate.isBroken = true
        await pass(3600, beating: [owner])
        #expect(await owner.liveCount() == 2)
        #expect(await owner.othersAreLive())
        #expect(await !owner.isGone(other.own))
        await owner.end()
        gate.isBroken = false
        await pass(30, beating: [other])
        #expect(await !other.isGone(owner.own))
    }

    @Test("nobody begins to work who can't see the others")
    func beginning() async throws {
        let gate = BrokenTables(tables)
        gate.isBroken = true
        let error = await #expect(throws: PortError.self) { try await owners("one", on: gate) }
        #expect(error?.code == .unavailable)
    }
}

/// A table store that can be out of reach for a while.
private final class BrokenTables: TableStore {
    private let store: any TableStore
    private let broken = Mutex(false)

    init(_ store: any TableStore) {
        self.store = store
    }

    var isBroken: Bool {
        get { broken.withLock { $0 } }
        set { broken.withLock { $0 = newValue } }
    }

    private func check() throws(PortError) {
        if isBroken { throw PortError(.unavailable, "by plan") }
    }

    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try check()
        return try await store.get(key, in: schema)
    }

    func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        try check()
        return try await store.get(keys, in: schema)
    }

    func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        try check()
        return try await store.query(query, in: schema)
    }

    func scan(_ schema: TableSchema, limit: Int, after: TableCursor?) async throws(PortError) -> TableQueryPage {
        try check()
        return try await store.scan(schema, limit: limit, after: after)
    }

    func transact(_ actions: [TableAction]) async throws(PortError) {
        try check()
        try await store.transact(actions)
    }

    func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try check()
        try await store.writeEach(actions)
    }
}
