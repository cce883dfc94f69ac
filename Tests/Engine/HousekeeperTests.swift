// The slow work: what can't be dealt with is out of the way of the rest, and what is over is removed.
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("Housekeeping")
struct HousekeeperTests {
    private let world = FixedWorld(FaultParts(sinks: FaultSinks(kind: .prompt, fault: nil)))

    private func housekeeper(_ context: EngineContext) -> Housekeeper {
        Housekeeper(context, gate: Gate(context, cache: JobCache(context)))
    }

    @Test("a message nobody can read, or set aside, does not keep the others in the dead-letter queues")
    func unreadable() async throws {
        let plain = world.context.backend
        let replay = StubbornQueue(plain.queues.replayDeadLetters)
        let progress = StubbornQueue(plain.queues.progressDeadLetters)
        let queues = Queues(
            replay: plain.queues.replay,
            replayDeadLetters: replay,
            progress: plain.queues.progress,
            progressDeadLetters: progress
        )
        let context = EngineContext(
            backend: Backend(
                tables: plain.tables,
                queues: queues,
                objects: plain.objects,
                feed: plain.feed,
                owners: plain.owners,
                atomic: plain.atomic
            ),
            parts: world.context.parts,
            clock: world.context.clock,
            random: world.context.random,
            logger: world.context.logger
        )
        try await world.extract()
        let chunks = try await plain.queues.replay.receive(limit: 100, invisible: .seconds(60), wait: .zero)
        #expect(!chunks.isEmpty)
        try await plain.queues.replay.delete(chunks.map(\.receipt))
        for queue in [replay, progress] { try await queue.send([OutgoingMessage(body: Array("rubbish".utf8))]) }
        for chunk in chunks.prefix(3) { try await replay.send([OutgoingMessage(body: chunk.body)]) }

        #expect(try await housekeeper(context).emptyDeadLetterQueues() == 5)
        #expect(try await plain.queues.replay.depth().total == 3)
        #expect(replay.refused == [.seconds(11 * 3600)])
        #expect(progress.refused == [.seconds(11 * 3600)])
        for queue in [replay, progress] { #expect(try await queue.depth().total == 1) }
    }

    @Test("a message that speaks of more records than its chunk has letters stays where it is")
    func otherCount() async throws {
        try await world.extract()
        let context = world.context
        let messages = try await context.backend.queues.replay.receive(limit: 1, invisible: .seconds(60), wait: .zero)
        var message = try ChunkMessage(body: try #require(messages.first).body)
        let letters = String(repeating: "i", count: message.count - 1)
        try await context.chunks.put(ChunkItem(chunk: try message.chunk, letters: letters))
        message.returns = Housekeeper.returnsMax
        let dead = context.backend.queues.replayDeadLetters
        try await dead.send([try message.outgoing()])
        #expect(try await housekeeper(context).emptyDeadLetterQueues() == 1)
        #expect(try await dead.depth().total == 1)
        #expect(try await context.backend.queues.progress.depth().total == 0)
    }

    @Test("what a slice has read is kept while its item is gone")
    func lostSlice() async throws {
        try await world.extract()
        let objects = world.context.backend.objects
        let before = try await objects.list(prefix: "", after: nil, limit: 100).map(\.key)
        let slice = SliceItem.key(job: world.job.id, index: 0)
        try await world.context.backend.tables.transact([TableAction(SliceItem.schema, slice, .delete)])
        try await housekeeper(world.context).sweepPayloads()
        #expect(try await objects.list(prefix: "", after: nil, limit: 100).map(\.key) == before)
    }

    @Test("a ledger that is sealed leaves no object of its job behind, and those of others where they are")
    func sealing() async throws {
        try await world.extract()
        let objects = world.context.backend.objects
        try await objects.put(
            [1],
            at: DeadLetter.objectPrefix(world.job.id) + "000/00000000-1/000#1",
            onlyIfAbsent: true
        )
        try await objects.put([1], at: "dead/another/x", onlyIfAbsent: true)
        #expect(try await objects.list(prefix: "", after: nil, limit: 100).count > 2)
        try await housekeeper(world.context).seal(world.job)
        #expect(try await objects.list(prefix: "", after: nil, limit: 100).map(\.key) == ["dead/another/x"])
    }

    @Test(
        "a dead letter fits into a table whatever its id, its reason and its bytes are",
        arguments: ["x", "ü", "日", "😀"]
    )
    func largeDeadLetter(letter: String) async throws {
        let chunk = ChunkID(job: world.job.id, slice: 0, page: 0, epoch: 1, number: 0)
        let large = String(repeating: letter, count: 420 * 1024 / letter.utf8.count)
        let dead = DeadLetter(
            chunk: chunk,
            position: 1,
            recordID: "a" + large,
            reason: "b" + large,
            attempts: 1,
            payload: Array(large.utf8),
            now: world.context.clock.now
        )
        try await world.context.deadLetters.put(dead)
        let kept = try #require(try await world.context.deadLetters.get(DeadLetter.key(chunk, position: 1)))
        #expect(kept == dead)
        let id = try #require(kept.recordID)
        #expect(id.hasPrefix("a" + letter + letter) && id.hasSuffix(letter + "…"))
        #expect(id.utf8.count > 64 * 1024 - 8 && id.utf8.count <= 64 * 1024 + 3)
        let short = DeadLetter(
            chunk: chunk,
            position: 2,
            recordID: letter,
            reason: letter,
            attempts: 1,
            payload: [],
            now: world.context.clock.now
        )
        #expect(short.recordID == letter && short.reason == letter)
    }
}

/// A queue that sets no message aside.
private final class StubbornQueue: MessageQueue {
    private let queue: any MessageQueue
    private let state = Refusals()

    init(_ queue: any MessageQueue) {
        self.queue = queue
    }

    var refused: [Duration] { state.all }
    var name: String { queue.name }
    var bodyBytesMax: Int { queue.bodyBytesMax }

    func send(_ messages: [OutgoingMessage]) async throws(PortError) { try await queue.send(messages) }
    func delete(_ receipts: [MessageReceipt]) async throws(PortError) { try await queue.delete(receipts) }
    func depth() async throws(PortError) -> QueueDepth { try await queue.depth() }

    func receive(limit: Int, invisible: Duration, wait: Duration) async throws(PortError) -> [ReceivedMessage] {
        try await queue.receive(limit: limit, invisible: invisible, wait: wait)
    }

    func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        state.note(invisible)
        throw PortError(.invalidRequest, "beyond the limit")
    }
}

private final class Refusals: Sendable {
    private let list = Mutex<[Duration]>([])

    var all: [Duration] { list.withLock { $0 } }
    func note(_ duration: Duration) { list.withLock { $0.append(duration) } }
}
