// What a secondary index does not show yet is there all the same.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("Behind a lagging index", .timeLimit(.minutes(10)))
struct LaggingIndexTests {
    private let world: FixedWorld

    init() {
        let clock = SkippingClock()
        world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), clock: clock, isAtomic: false) {
            $0.replacing(tables: LaggingTables($0.tables, showing: MemoryTableStore(clock: clock)))
        }
    }

    @Test("a job that was just created is found, paused, resumed and cancelled")
    func found() async throws {
        try await world.create()
        let id = world.job.id
        #expect(try await JobStore(world.context).get(id) == world.job)
        let control = JobControl(world.context)
        #expect(try await control.pause(id).status == .paused)
        #expect(try await control.resume(id).status == .pending)
        #expect(try await control.cancel(id).status == .cancelled)
    }

    @Test("a job that never was is unknown")
    func unknown() async throws {
        try await world.create()
        let other = JobID(now: world.context.now, random: world.context.random)
        let error = await #expect(throws: JobError.self) { try await JobStore(world.context).get(other) }
        guard case .unknown(other) = error else { throw ContractFailure("says \(String(describing: error))") }
    }
}
