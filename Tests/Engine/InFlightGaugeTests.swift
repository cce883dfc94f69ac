// How extraction is held back where several processes work on one job.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("The gauge of records in flight")
struct InFlightGaugeTests {
    @Test("who books what another process has committed does not take that for room")
    func twoProcesses() async throws {
        let clock = SkippingClock()
        var settings = EngineSettings()
        settings.inFlightMax = 10
        let world = FixedWorld(
            FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)),
            clock: clock,
            settings: settings
        )
        try await world.create()
        let gauge = InFlightGauge(world.context)
        let stop = StopSignal()
        #expect(try await gauge.waitForRoom(world.job.id, stop: stop))
        // Booked here, and committed by somebody else, who has committed more than that since.
        gauge.add(-1000, to: world.job.id)
        let slice = SliceItem.key(job: world.job.id, index: 0)
        try await world.context.slices.update(slice, [SliceItem.inFlight.add(11)], if: .itemExists)
        clock.advance(by: .seconds(2))
        #expect(try await !gauge.waitForRoom(world.job.id, stop: stop))
        try await world.context.slices.update(slice, [SliceItem.inFlight.add(-11)], if: .itemExists)
        gauge.add(-11, to: world.job.id)
        #expect(try await gauge.waitForRoom(world.job.id, stop: stop))
    }

    @Test("a number beyond all counting is no room, and ends nobody's worker", arguments: [Int.max, Int.min])
    func spoilt(number: Int) async throws {
        let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), clock: SkippingClock())
        try await world.create()
        for index in 0..<2 {
            let slice = SliceItem.key(job: world.job.id, index: index)
            try await world.context.slices.update(slice, [SliceItem.inFlight.set(number)], if: .itemExists)
        }
        let gauge = InFlightGauge(world.context)
        #expect(try await gauge.waitForRoom(world.job.id, stop: StopSignal()) == (number < 0))
        for records in [100, -300] { gauge.add(records, to: world.job.id) }
        #expect(try await gauge.waitForRoom(world.job.id, stop: StopSignal()) == (number < 0))
    }
}
