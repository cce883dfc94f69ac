// Several openings of one file, and other processes that lock it.
import Foundation
import SQLiteDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("Sharing a database")
struct SharingTests {
    private let scratch: Scratch
    private let clock = ManualClock()

    init() throws { scratch = try Scratch() }

    /// Two openings of one file, closed at the end.
    private func withTwo(_ body: (SQLiteBackend, SQLiteBackend) async throws -> Void) async throws {
        try await scratch.withBackend(clock: clock) { first in
            try await scratch.withBackend(clock: clock) { second in try await body(first, second) }
        }
    }

    @Test("a message is received by one of two, and both see the other's items")
    func shares() async throws {
        try await withTwo { first, second in
            try await first.work.send("a", "b", "c")
            let one = try await first.work.texts(limit: 2)
            let other = try await second.work.texts(limit: 100)
            #expect((one + other).sorted() == ["a", "b", "c"])
            let schema = TableSchema(name: "shared", sortKey: nil)
            try await second.tables.transact([TableAction(schema, ItemKey("x"), .update([.add("n", 2)]))])
            try await first.tables.transact([TableAction(schema, ItemKey("x"), .update([.add("n", 3)]))])
            #expect(try await second.tables.get(ItemKey("x"), in: schema)?["n"] == .int(5))
        }
    }

    @Test("a receiver that waits wakes when another opening sends")
    func wakes() async throws {
        try await withTwo { first, second in
            let queue = second.work
            let waiting = Task { try await queue.receive(limit: 1, invisible: .seconds(30), wait: .seconds(600)) }
            // It sleeps on the clock, which stands still: only the other's ring can wake it.
            try await clock.sleepers(atLeast: 1)
            try await first.work.send("a")
            #expect(try await waiting.value.map(\.body) == [Array("a".utf8)])
        }
    }

    @Test("a reader of the feed that waits wakes when another opening writes")
    func feedWakes() async throws {
        let schema = TableSchema(name: "followed", sortKey: nil, isFollowed: true)
        try await withTwo { first, second in
            let feed = second.feed
            let waiting = Task { try await feed.read(schema, from: .start, limit: 10, wait: .seconds(600)) }
            try await clock.sleepers(atLeast: 1)
            try await first.tables.transact([TableAction(schema, ItemKey("x"), .update([.set("a", .bool(true))]))])
            #expect(try await waiting.value.changes.map(\.key) == [ItemKey("x")])
        }
    }

    @Test("messages of an owner that has ended are free at once, and count as received")
    func deadOwner() async throws {
        try await scratch.withBackend(clock: clock) { living in
            let ended = try await scratch.open(clock: clock)
            try await ended.work.send("a")
            #expect(try await ended.work.texts(invisible: .seconds(600)) == ["a"])
            #expect(try await living.work.texts() == [])
            #expect(await !living.owners.isGone(ended.owners.own))
            #expect(await living.owners.liveCount() == 2)
            try await ended.close()
            #expect(await living.owners.isGone(ended.owners.own))
            #expect(await living.owners.liveCount() == 1)
            let again = try await living.work.receive(limit: 10, invisible: .seconds(30), wait: .zero)
            #expect(again.map(\.receiveCount) == [2])
        }
    }

    @Test("a receiver that waits gets a dead owner's messages within a second")
    func deadOwnerWhileWaiting() async throws {
        try await scratch.withBackend(clock: clock) { living in
            let ended = try await scratch.open(clock: clock)
            try await ended.work.send("a")
            _ = try await ended.work.texts(invisible: .seconds(600))
            let queue = living.work
            let waiting = Task { try await queue.receive(limit: 1, invisible: .seconds(30), wait: .seconds(300)) }
            try await clock.sleepers(atLeast: 1)
            try await ended.close()
            clock.advance(by: .seconds(1))
            #expect(try await waiting.value.map(\.receiveCount) == [2])
        }
    }

    @Test("an owner is not gone because nobody has heard of it, and a name cannot lead out of the folder")
    func strangeOwners() async throws {
        try await scratch.withBackend(clock: clock) { backend in
            #expect(await !backend.owners.isGone(backend.owners.own))
            #expect(await !backend.owners.isGone(OwnerID("../../sluice")))
            #expect(await !backend.owners.isGone(OwnerID("")))
        }
    }

    @Test("another process's write is waited for, by writers and by those who open")
    func foreignWriter() async throws {
        try await scratch.withBackend(clock: clock) { backend in
            let foreigner = try ForeignWriter(path: scratch.path)
            let queue = backend.work
            let sending = Task { try await queue.send("a") }
            let opening = Task { try await scratch.open(clock: clock) }
            // Readers do not wait for writers.
            #expect(try await queue.depth() == QueueDepth())
            try foreigner.commit()
            try await sending.value
            try await opening.value.close()
            #expect(try await queue.texts() == ["a"])
        }
    }

    @Test("a standing database is opened while another process writes to it")
    func openedWhileWritten() async throws {
        try await scratch.open(clock: clock, busyWait: .milliseconds(50)).close()
        let foreigner = try ForeignWriter(path: scratch.path)
        let before = ContinuousClock.now
        let error = await #expect(throws: PortError.self) {
            try await scratch.open(clock: clock, busyWait: .milliseconds(50))
        }
        // Only the owner's own number has to wait; the steps before it must not each wait their fill again and again.
        #expect(error?.code == .unavailable)
        #expect(before.duration(to: .now) < .seconds(10))
        try foreigner.commit()
        try await scratch.open(clock: clock, busyWait: .milliseconds(50)).close()
    }

    @Test("a write that another process blocks for too long is unavailable, in words, and is not done later")
    func foreignWriterForTooLong() async throws {
        let backend = try await scratch.open(clock: clock, busyWait: .milliseconds(50))
        let foreigner = try ForeignWriter(path: scratch.path)
        let queue = backend.work
        let error = try await #require(throws: PortError.self) { try await queue.send("a") }
        #expect(error.code == .unavailable)
        #expect(error.message.contains("another process") && error.message.contains(scratch.path))
        try foreigner.commit()
        #expect(try await queue.texts() == [])
        try await backend.close()
    }
}
