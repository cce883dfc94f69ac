// What has had its time is removed, and nobody notices but the disk.
import Foundation
import SQLiteDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("Housekeeping")
struct HousekeepingTests {
    private let scratch: Scratch
    private let clock = ManualClock()
    private let schema = TableSchema(name: "things", sortKey: nil, ttl: "expires", isFollowed: true)

    init() throws { scratch = try Scratch() }

    private func put(_ key: String, seconds: Int64? = nil) -> TableAction {
        var item: AttributeMap = ["pk": .string(key)]
        if let seconds { item["expires"] = .int(clock.now.seconds + seconds) }
        return TableAction(schema, ItemKey(key), .put(item))
    }

    @Test("expired items are removed, their followers hear of it, and others stay")
    func items() async throws {
        try await scratch.withBackend(clock: clock) { backend in
            try await backend.tables.writeEach((0..<1200).map { put("old \($0)", seconds: 10) } + [put("young")])
            let before = try await backend.feed.read(schema, from: .latest, limit: 10, wait: .zero).next
            clock.advance(by: .seconds(11))
            #expect(try await backend.keepHouse().expiredItems == 1200)
            #expect(try await backend.diagnose().items == ["things": 1])
            let changes = try await backend.feed.read(schema, from: before, limit: 10, wait: .zero).changes
            #expect(changes.count == 10 && changes.allSatisfy { $0.new == nil && $0.old != nil })
        }
    }

    @Test("changes are kept for a day, and who missed some is told")
    func feed() async throws {
        try await scratch.withBackend(clock: clock) { backend in
            try await backend.tables.transact([put("a")])
            let first = try await backend.feed.read(schema, from: .start, limit: 1, wait: .zero)
            try await backend.tables.transact([put("b")])
            clock.advance(by: .seconds(24 * 3600 - 1))
            #expect(try await backend.keepHouse().trimmedChanges == 0)
            try await backend.tables.transact([put("c")])
            clock.advance(by: .seconds(1))
            #expect(try await backend.keepHouse().trimmedChanges == 2)
            let error = try await #require(throws: PortError.self) {
                try await backend.feed.read(schema, from: first.next, limit: 1, wait: .zero)
            }
            #expect(error.code == .notFound)
            let rest = try await backend.feed.read(schema, from: .start, limit: 10, wait: .zero)
            #expect(rest.changes.map(\.key) == [ItemKey("c")])
        }
    }

    @Test("messages are removed when their queue's retention has passed, held ones too")
    func messages() async throws {
        let queues = [QueueSetup(name: "work", retention: .seconds(60)), QueueSetup(name: "other")]
        try await scratch.withBackend(clock: clock, queues: queues) { backend in
            try await backend.work.send("a", "b")
            #expect(try await backend.work.texts(limit: 1, invisible: .seconds(600)) == ["a"])
            try await #require(backend.queue("other")).send("c")
            clock.advance(by: .seconds(60))
            #expect(try await backend.keepHouse().expiredMessages == 2)
            #expect(try await backend.diagnose().queues == ["work": QueueDepth(), "other": QueueDepth(visible: 1)])
        }
    }

    @Test("the log is emptied into the database")
    func log() async throws {
        try await scratch.withBackend(clock: clock) { backend in
            try await backend.work.send("a")
            _ = try await backend.keepHouse()
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path + "-wal")
            #expect(attributes[.size] as? Int == 0)
        }
    }

    @Test("files that dead owners left are removed")
    func ownerFiles() async throws {
        try await scratch.withBackend(clock: clock) { backend in
            let folder = scratch.path + ".owners"
            for name in ["1-dead.lock", "2-unborn.lock.new"] {
                try Data().write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            _ = try await backend.keepHouse()
            let left = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(left.sorted() == ["\(backend.owners.own).lock", "doorbell"].sorted())
        }
    }

    @Test("an index that is added to a table holds the items that stood before")
    func addedIndex() async throws {
        let item: AttributeMap = ["pk": .string("x"), "owner": .string("me")]
        try await scratch.withBackend(clock: clock) { backend in
            try await backend.tables.transact([TableAction(schema, ItemKey("x"), .put(item)), put("y")])
        }
        let indexed = TableSchema(
            name: schema.name,
            sortKey: nil,
            indexes: [TableIndex(name: "by-owner", partitionKey: "owner")],
            ttl: schema.ttl,
            isFollowed: true
        )
        try await scratch.withBackend(clock: clock) { backend in
            let page = try await backend.tables.query(TableQuery(partition: "me", index: "by-owner"), in: indexed)
            #expect(page.items == [item])
        }
    }

    @Test(
        "a name that could be mistaken for something else is refused",
        arguments: ["", "a\"b", "sqlite_x", "Sluice_x"]
    )
    func names(_ name: String) async throws {
        try await scratch.withBackend(clock: clock) { backend in
            let error = try await #require(throws: PortError.self) {
                try await backend.tables.get(ItemKey("x"), in: TableSchema(name: name, sortKey: nil))
            }
            #expect(error.code == .invalidRequest)
        }
    }
}
