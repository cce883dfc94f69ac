// What becomes of a job whose slices somebody has changed in the table.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@testable import SluiceEngine

@Suite("Spoilt books")
struct SpoiltBooksTests {
    private let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), clock: ManualClock())
    private var context: EngineContext { world.context }
    private var stored: Job {
        get async throws { try await JobStore(context).get(world.job.id) }
    }

    /// A job with all of it delivered and booked, and not looked at since.
    private func workAll() async throws {
        try await world.create()
        try await world.steps.launch(world.job)
        for slice in 0..<world.job.concurrency { try await world.steps.extract(world.job, slice) }
        try await world.steps.replay()
        try await world.steps.book()
    }

    private func change(_ slice: Int, _ changes: [AttributeChange]) async throws {
        let key = SliceItem.key(job: world.job.id, index: slice)
        try await context.backend.tables.transact([TableAction(SliceItem.schema, key, .update(changes))])
    }

    private func add(_ records: Int, to slice: Int) async throws {
        try await change(slice, [SliceItem.extracted.add(records)])
    }

    @Test("a job whose counters don't add up is paused with the reason, never completed, and completes once mended")
    func imbalance() async throws {
        try await workAll()
        try await add(5, to: 1)
        // Together they balance, so that each has to be looked at.
        try await add(-5, to: 0)
        for _ in 0..<2 { try await world.steps.finish() }
        let paused = try await stored
        #expect(paused.status == .paused && paused.holdsDelivery)
        #expect(paused.statusReason?.contains("its books do not balance: slice 0 has ") == true)
        #expect(paused.statusReason?.contains("mend its slices in the table progress and resume it") == true)
        #expect(paused.completedDocCount == 0, "counters that don't add up are shown")

        try await JobControl(context).resume(world.job.id)
        try await world.steps.launch(world.job)
        for _ in 0..<2 { try await world.steps.finish() }
        #expect(try await stored.status == .paused)

        try await add(-5, to: 1)
        try await add(5, to: 0)
        try await JobControl(context).resume(world.job.id)
        try await world.steps.launch(world.job)
        try await world.steps.finish()
        let ended = try await stored
        #expect(ended.status == .completed)
        #expect(ended.completedDocCount == FixedSource.delivered.count)
    }

    @Test("a job whose counters don't add up can be cancelled, and says so")
    func cancelled() async throws {
        try await workAll()
        try await add(5, to: 1)
        let ended = try await JobControl(context).cancel(world.job.id)
        #expect(ended.status == .cancelled)
        #expect(ended.statusReason?.contains("its books do not balance: slice 1 has ") == true)
    }

    @Test("a job with a slice that can't be read is told to pause, by the attribute, and completes once mended")
    func unreadable() async throws {
        try await workAll()
        let key = SliceItem.key(job: world.job.id, index: 1)
        let sound = try #require(try await context.backend.tables.get(key, in: SliceItem.schema))
        try await change(1, [Attribute<SliceItem, String>("extracted").set("many")])
        try await world.steps.finish()
        let pausing = try await stored
        #expect(pausing.status == .pausing && pausing.holdsDelivery)
        #expect(pausing.statusReason?.contains("its books can't be read: ") == true)
        #expect(pausing.statusReason?.contains("extracted") == true)

        try await context.backend.tables.transact([TableAction(SliceItem.schema, key, .put(sound))])
        try await world.steps.finish()
        #expect(try await stored.status == .paused)
        try await JobControl(context).resume(world.job.id)
        try await world.steps.launch(world.job)
        try await world.steps.finish()
        #expect(try await stored.status == .completed)
    }
}
