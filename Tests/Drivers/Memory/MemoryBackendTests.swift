// What the memory backend does beyond the ports' promises.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("The memory backend")
struct MemoryBackendTests {
    let clock = ManualClock()

    @Test("its processes share what they write, and know who is alive")
    func processes() async throws {
        let backend = MemoryBackend(clock: clock)
        let first = backend.open(as: OwnerID("first"))
        let second = backend.open(as: OwnerID("second"))
        try await first.queues.replay.send([OutgoingMessage(body: [1])])
        let received = try await second.queues.replay.receive(limit: 1, invisible: .seconds(30), wait: .zero)
        #expect(received.map(\.body) == [[1]])
        #expect(await first.owners.liveCount() == 2)
        #expect(await !first.owners.isGone(second.owners.own))
        #expect(await !first.owners.isGone(OwnerID("unheard of")))
    }

    @Test("what a process had received is visible again once the process is gone")
    func gone() async throws {
        let backend = MemoryBackend(clock: clock)
        let first = backend.open(as: OwnerID("first"))
        let second = backend.open(as: OwnerID("second"))
        try await first.queues.replay.send([
            OutgoingMessage(body: [1]), OutgoingMessage(body: [2], delay: .seconds(60)),
        ])
        _ = try await first.queues.replay.receive(limit: 10, invisible: .seconds(600), wait: .zero)
        backend.declareGone(first.owners.own)
        #expect(await second.owners.isGone(first.owners.own))
        #expect(await second.owners.liveCount() == 1)
        let received = try await second.queues.replay.receive(limit: 10, invisible: .seconds(600), wait: .zero)
        #expect(received.map(\.body) == [[1]])
        #expect(received.map(\.receiveCount) == [2])
    }

    @Test("it has transactions across tables and queues only if asked to")
    func atomic() {
        let backend = MemoryBackend(clock: clock)
        #expect(backend.open(isAtomic: true).atomic != nil)
        #expect(backend.open(isAtomic: false).atomic == nil)
    }

    @Test("its queues move what nobody could handle to their dead-letter queues")
    func redrive() async throws {
        let queues = MemoryBackend(clock: clock).open().queues
        try await queues.progress.send([OutgoingMessage(body: [1])])
        for _ in 1...8 {
            _ = try await queues.progress.receive(limit: 1, invisible: .zero, wait: .zero)
        }
        #expect(try await queues.progress.receive(limit: 1, invisible: .zero, wait: .zero).isEmpty)
        #expect(try await queues.progressDeadLetters.depth() == QueueDepth(visible: 1))
        #expect(try await queues.replayDeadLetters.depth() == QueueDepth())
    }

    @Test("an expired item counts for conditions until it is removed, and its removal is a change")
    func expiry() async throws {
        let schema = TableSchema(name: "t", ttl: "expires", isFollowed: true)
        let tables = MemoryTableStore(clock: clock)
        let key = ItemKey("p", "s")
        let item: AttributeMap = ["pk": .string("p"), "sk": .string("s"), "expires": .int(clock.now.seconds)]
        let put = TableAction(schema, key, .put(item), if: .itemAbsent)
        try await tables.transact([put])
        clock.advance(by: .seconds(2))
        #expect(try await tables.get(key, in: schema) == nil)
        await #expect(throws: PortError.self) { try await tables.transact([put]) }
        tables.removeExpired(from: schema)
        let changes = try await MemoryChangeFeed(of: tables).read(schema, from: .start, limit: 10, wait: .zero).changes
        #expect(changes.last == TableChange(key: key, old: item, new: nil))
        try await tables.transact([put])
    }

    @Test("a position whose changes are no longer kept is not found")
    func trimmed() async throws {
        let schema = TableSchema(name: "t", sortKey: nil, isFollowed: true)
        let tables = MemoryTableStore(clock: clock)
        let feed = MemoryChangeFeed(of: tables)
        let begin = try await feed.read(schema, from: .start, limit: 10, wait: .zero).next
        try await tables.transact([TableAction(schema, ItemKey("p"), .update([]))])
        clock.advance(by: .seconds(86_401))
        let error = await #expect(throws: PortError.self) {
            try await feed.read(schema, from: begin, limit: 10, wait: .zero)
        }
        #expect(error?.code == .notFound)
    }

    @Test("a receive ends exactly when its wait is over")
    func exactWait() async throws {
        let queue = MemoryQueue(QueueSetup(name: "q"), clock: clock)
        let task = Task { try await queue.receive(limit: 1, invisible: .seconds(30), wait: .seconds(20)) }
        try await clock.sleepers(atLeast: 1)
        #expect(clock.nextDeadline == clock.now.advanced(by: .seconds(20)))
        #expect(clock.advanceToNextDeadline())
        #expect(try await task.value.isEmpty)
        #expect(clock.sleeperCount == 0)
    }

    @Test("calls that need not wait do not suspend: a task of its own runs none of its neighbours meanwhile")
    func noSuspension() async throws {
        let backend = MemoryBackend(clock: clock).open()
        let order = await Alone.run { log in
            _ = try? await backend.queues.replay.send([OutgoingMessage(body: [1])])
            _ = try? await backend.queues.replay.receive(limit: 1, invisible: .zero, wait: .seconds(5))
            _ = try? await backend.queues.replay.depth()
            _ = try? await backend.tables.get(ItemKey("p", "s"), in: TableSchema(name: "t"))
            _ = try? await backend.objects.put([1], at: "a", onlyIfAbsent: false)
            _ = try? await backend.atomic?.commit(AtomicBatch())
            log.entries.append("calls")
        }
        #expect(order == ["calls", "neighbour"])
    }
}

/// Runs steps beside a neighbour on one actor, where the neighbour gets its turn at the first suspension.
private actor Alone {
    final class Log {
        var entries: [String] = []
    }

    private let log = Log()

    static func run(_ steps: @Sendable (Log) async -> Void) async -> [String] {
        await Alone().run(steps)
    }

    private func run(_ steps: (Log) async -> Void) async -> [String] {
        let neighbour = Task { log.entries.append("neighbour") }
        await steps(log)
        await neighbour.value
        return log.entries
    }
}
