// A job whose records somebody has spoilt keeps no other job from being launched, repaired or sealed.
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("A spoilt job's neighbour")
struct SpoiltNeighbourTests {
    private let clock = SkippingClock()
    private let world: FixedWorld
    private var context: EngineContext { world.context }

    init() {
        world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)), clock: clock)
    }

    private func create(_ index: String) async throws -> Job {
        let description = SourceDescription(fingerprint: "fixed")
        let job = Job(
            key: JobKey(systemAccountID: "local", indexName: index, id: JobID(now: clock.now, random: context.random)),
            reindexType: .post,
            concurrency: 2,
            source: "fixed:",
            sink: "\(index):",
            sourceDescription: description,
            now: clock.now
        )
        let match = SliceMatch.text(job: job, source: description, transform: PlainTransform())
        try await JobStore(context).create(job, match: match)
        // Ids begin with their time, and lists are in the order of the ids.
        clock.advance(by: .seconds(1))
        return job
    }

    private func change<Item: TableItem>(_ key: ItemKey, _ changes: [AttributeChange], of type: Item.Type) async throws
    {
        try await context.backend.tables.transact([TableAction(Item.schema, key, .update(changes))])
    }

    @Test("is launched although the change before it can't be read")
    func launched() async throws {
        let spoilt = try await create("spoilt")
        let sound = try await create("sound")
        let concurrency = Attribute<Job, Int>("concurrency")
        try await change(spoilt.key, [concurrency.set(0)], of: Job.self)
        var changes: [TableChange] = []
        for key in [spoilt.key, sound.key] {
            let record: AttributeMap = try #require(try await context.backend.tables.get(key, in: Job.schema))
            changes.append(TableChange(key: key, old: nil, new: record))
        }
        let stop = StopSignal()
        let feed = OnePageFeed(changes) { stop.stop() }
        let backend = context.backend
        let followed = EngineContext(
            backend: Backend(
                tables: backend.tables,
                queues: backend.queues,
                objects: backend.objects,
                feed: feed,
                owners: backend.owners,
                atomic: backend.atomic
            ),
            parts: context.parts,
            clock: clock,
            random: context.random,
            logger: context.logger
        )
        let launcher = NotingLauncher()
        try await Trigger(context: followed, launcher: launcher, intake: nil, stop: stop).run()
        #expect(launcher.launched == [Launch(job: sound.jobKey, number: 1).name])
        #expect(feed.positions == [.latest, .at("end")], "the page was read again")
    }

    @Test("has what is stuck sent again")
    func repaired() async throws {
        let spoilt = try await create("spoilt")
        let sound = try await create("sound")
        for job in [spoilt, sound] {
            try await world.steps.launch(job)
            for slice in 0..<job.concurrency { try await world.steps.extract(job, slice) }
        }
        let replay = context.backend.queues.replay
        let sent = try await replay.receive(limit: 100, invisible: .seconds(60), wait: .zero)
        try await replay.delete(sent.map(\.receipt))
        let key = SliceItem.key(job: spoilt.id, index: 0)
        try await change(key, [Attribute<SliceItem, String>("extracted").set("many")], of: SliceItem.self)

        let housekeeper = Housekeeper(context, gate: Gate(context, cache: JobCache(context)))
        try await housekeeper.repairStuck()
        #expect(try await replay.depth().total == 0)
        clock.advance(by: context.settings.repairAfter)
        try await housekeeper.repairStuck()
        let again = try await replay.receive(limit: 100, invisible: .seconds(60), wait: .zero)
        let jobs = try Set(again.map { try ChunkMessage(body: $0.body).jobKey.id })
        #expect(jobs == [sound.id])
    }

    @Test("has its old ledger sealed")
    func sealed() async throws {
        let spoilt = try await create("spoilt")
        let sound = try await create("sound")
        for job in [spoilt, sound] {
            let ended = [Job.status.set(.completed), Job.finishedAt.set(clock.now)]
            try await change(job.key, ended, of: Job.self)
        }
        clock.advance(by: context.settings.ledgerRetention)
        clock.advance(by: .seconds(1))
        let refusing = context.hooked(tables: { (_, actions) throws(PortError) in
            guard actions.contains(where: { $0.key.partition == spoilt.id.text }) else { return }
            throw PortError(.invalidRequest, "no item")
        })
        let housekeeper = Housekeeper(refusing, gate: Gate(refusing, cache: JobCache(refusing)))
        #expect(try await housekeeper.sealOld() == 1)
        #expect(try await JobStore(context).get(sound.id).sealedAt != nil)
        #expect(try await JobStore(context).get(spoilt.id).sealedAt == nil)
    }
}

/// Has one page of changes, and says when it is asked for more.
private final class OnePageFeed: ChangeFeed {
    private let changes: [TableChange]
    private let onMore: @Sendable () -> Void
    private let asked = Mutex<[FeedPosition]>([])

    var positions: [FeedPosition] { asked.withLock { $0 } }

    init(_ changes: [TableChange], onMore: @escaping @Sendable () -> Void) {
        self.changes = changes
        self.onMore = onMore
    }

    func read(
        _ schema: TableSchema,
        from position: FeedPosition,
        limit: Int,
        wait: Duration
    ) async throws(PortError) -> FeedPage {
        let reads = asked.withLock { asked in
            asked.append(position)
            return asked.count
        }
        if reads > 1 { onMore() }
        return FeedPage(changes: position == .latest ? changes : [], next: .at("end"))
    }
}
