// The schedule on tables keeps the promises of schedules.
import MemoryDriver
import SluiceCore
import SluiceEngine
import SluiceTestKit
import Testing

@Suite("The schedule on tables")
struct TableScheduleTests {
    let clock = ManualClock()

    private func schedule(_ owner: String, on tables: any TableStore) -> TableSchedule {
        TableSchedule(tables: tables, clock: clock, owner: OwnerID(owner))
    }

    @Test("keeps the promises of schedules", arguments: ScheduleContract.cases)
    func promise(_ promise: ContractCase<ScheduleContract.Harness>) async throws {
        let tables = MemoryTableStore(clock: clock)
        try await promise.run(
            .init(
                schedule: schedule("one", on: tables),
                other: schedule("two", on: tables),
                time: .manual(clock)
            )
        )
    }

    @Test("a clock that was set back does not stop the work for good")
    func clockSetBack() async throws {
        let tables = MemoryTableStore(clock: clock)
        let ahead = ManualClock(now: clock.now.advanced(by: .seconds(86_400)))
        let fast = TableSchedule(tables: tables, clock: ahead, owner: OwnerID("fast"))
        #expect(try await fast.isDue("a", every: .seconds(60)))
        #expect(try await schedule("slow", on: tables).isDue("a", every: .seconds(60)))
    }

    @Test("a lost answer never makes two callers due", arguments: FaultPlan.Moment.allCases)
    func lostAnswer(_ moment: FaultPlan.Moment) async throws {
        try await FaultPlan.failingEachCall(moment: moment) { plan in
            let tables = FaultyTableStore(MemoryTableStore(clock: clock), plan: plan)
            let first = try? await schedule("one", on: tables).isDue("a", every: .seconds(60))
            let second = try? await schedule("two", on: tables).isDue("a", every: .seconds(60))
            #expect([first, second].filter { $0 == true }.count <= 1)
        }
    }
}
