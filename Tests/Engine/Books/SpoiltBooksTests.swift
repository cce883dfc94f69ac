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

    @Test("numbers beyond all counting stop the job, and nobody's worker")
    func overflow() async throws {
        try await workAll()
        try await change(0, [SliceItem.extracted.set(.max)])
        for _ in 0..<3 { try await world.steps.finish() }
        #expect(try await stored.status == .paused)
        #expect(try await JobControl(context).cancel(world.job.id).status == .cancelled)
    }

    @Test("a job that has lost a slice is paused with the reason")
    func lostSlice() async throws {
        try await workAll()
        let key = SliceItem.key(job: world.job.id, index: 1)
        try await context.backend.tables.transact([TableAction(SliceItem.schema, key, .delete)])
        for _ in 0..<2 { try await world.steps.finish() }
        let paused = try await stored
        #expect(paused.status == .paused)
        #expect(paused.statusReason?.contains("it has the slices [0] and not 2 of them") == true)
    }

    @Test("a job with a slice that can't be read can be cancelled, and leaves its destination free")
    func unreadableAndCancelled() async throws {
        try await workAll()
        try await change(1, [Attribute<SliceItem, String>("extracted").set("many")])
        let ended = try await JobControl(context).cancel(world.job.id)
        #expect(ended.status == .cancelled)
        #expect(ended.statusReason?.contains("its books can't be read: ") == true)
        let next = Job(
            key: JobKey(
                systemAccountID: "local",
                indexName: "index",
                id: JobID(now: context.now, random: context.random)
            ),
            reindexType: .post,
            concurrency: 1,
            source: "fixed:",
            sink: "sinks:",
            sourceDescription: SourceDescription(fingerprint: "fixed"),
            now: context.now
        )
        try await JobStore(context).create(next, match: "")
    }

    @Test("a slice that can be neither read nor written does not keep its job from being cancelled")
    func untouchable() async throws {
        try await workAll()
        try await change(1, [Attribute<SliceItem, String>("extracted").set("many")])
        let key = SliceItem.key(job: world.job.id, index: 1)
        let refusing = context.hooked(tables: { (_, actions) throws(PortError) in
            guard actions.contains(where: { $0.key == key }) else { return }
            throw PortError(.invalidRequest, "it is not the JSON of an item")
        })
        let ended = try await JobControl(refusing).cancel(world.job.id)
        #expect(ended.status == .cancelled)
        #expect(ended.statusReason?.contains("its books can't be read: ") == true)
    }

    @Test("letters that somebody has spoilt are not taken for records in flight")
    func letters() async throws {
        try await workAll()
        let chunks = TableQuery(partition: world.job.id.text, range: .prefix("chunk#"), limit: 1)
        let chunk = try #require(try await context.chunks.query(chunks).items.first)
        let before = try await JobStore(context).balance(of: world.job.id)
        let spoilt = "?" + chunk.letters.dropFirst()
        let change = TableAction(ledgerSchema, chunk.key, .update([ChunkItem.lettersAttribute.set(spoilt)]))
        try await context.backend.tables.transact([change])
        let letters = try #require(Letters(chunk.letters))
        let event = ProgressEvent(job: world.job.jobKey, chunk: chunk.chunk, letters: letters, chunksOfPage: 1)
        let error = await #expect(throws: PortError.self) {
            try await Booker(context: context).book([event], deleting: [])
        }
        #expect(error?.message.contains("letters: ") == true)
        #expect(try await JobStore(context).balance(of: world.job.id) == before)
    }

    @Test("a ledger with a spoilt slice is sealed like any other")
    func sealed() async throws {
        try await workAll()
        try await world.steps.finish()
        try await change(1, [Attribute<SliceItem, String>("extracted").set("many")])
        try await world.steps.seal(try await stored)
        let left = TableQuery(partition: world.job.id.text, range: .prefix("chunk#"), limit: 1)
        #expect(try await context.chunks.query(left).items.isEmpty)
        #expect(try await stored.sealedAt != nil)
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
