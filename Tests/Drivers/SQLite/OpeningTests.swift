// What is opened, what is refused, and in which words.
import Foundation
import GRDB
import Glibc
import SluiceCore
import SluiceTestKit
import Testing

@testable import SQLiteDriver

@Suite("Opening a database")
struct OpeningTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// The error with which opening the path is refused.
    private func refusal(_ path: String) async throws -> PortError {
        let options = SQLiteOptions(path: path, clock: ManualClock(), queues: [])
        return try await #require(throws: PortError.self) { try await SQLiteBackend.open(options) }
    }

    private func change(_ sql: String) throws {
        let database = try DatabaseQueue(path: scratch.path)
        try database.writeWithoutTransaction { try $0.execute(sql: sql) }
        try database.close()
    }

    @Test("who begins is not cleared away by others that begin, and look for what the dead have left")
    func beginning() async throws {
        let folder = scratch.folder + "/owners"
        let others = try SQLiteOwners(folder: folder, random: SystemRandomSource())
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    others.removeRemains()
                    await Task.yield()
                }
            }
            for number in 0..<2000 {
                do {
                    let lock = try OwnerLock.make(at: "\(folder)/\(number).lock")
                    #expect(access(lock.path, F_OK) == 0)
                    lock.release()
                } catch {
                    Issue.record(error)
                }
            }
            group.cancelAll()
        }
        #expect(others.live() == [others.own.text])
    }

    @Test("a new file is made with its folders, durable and with a write-ahead log")
    func makes() async throws {
        let options = SQLiteOptions(path: scratch.folder + "/a/b/sluice.db", clock: ManualClock())
        let backend = try await SQLiteBackend.open(options)
        let diagnosis = try await backend.diagnose(thoroughly: true)
        #expect(diagnosis.journalMode == "wal")
        #expect(diagnosis.synchronous == 2)
        #expect(diagnosis.damage.isEmpty)
        #expect(diagnosis.liveOwners == [backend.owners.own.text])
        #expect(diagnosis.queues.keys.sorted() == Queues.setups.map(\.name).sorted())
        try await backend.close()
    }

    @Test("durability normal is NORMAL, and full is FULL also for a file that stands")
    func durability() async throws {
        for (durability, wanted) in [(SQLiteOptions.Durability.normal, 1), (.full, 2)] {
            let backend = try await scratch.open(durability: durability)
            #expect(try await backend.diagnose().synchronous == wanted)
            try await backend.close()
        }
    }

    @Test("what was written is there after closing and opening again")
    func reopens() async throws {
        let schema = TableSchema(name: "kept")
        let item: AttributeMap = ["pk": .string("p"), "sk": .string("s"), "n": .int(.max)]
        try await scratch.withBackend { backend in
            try await backend.tables.transact([TableAction(schema, ItemKey("p", "s"), .put(item))])
            try await backend.work.send("a")
        }
        try await scratch.withBackend { backend in
            let kept = try await backend.tables.get(ItemKey("p", "s"), in: schema)
            let texts = try await backend.work.texts()
            #expect(kept == item)
            #expect(texts == ["a"])
        }
    }

    @Test("a file of a newer version is refused with both versions and what to do")
    func newer() async throws {
        try await scratch.withBackend { _ in }
        try change("pragma user_version = 999")
        let error = try await refusal(scratch.path)
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains("version 999") && error.message.contains("update sluice"))
    }

    @Test("a file that another process is making at that very moment is ours, and not another program's")
    func isBeingMade() throws {
        for mode in ["delete", "wal"] {
            let scratch = try Scratch()
            let (ours, theirs) = (try DatabaseQueue(path: scratch.path), try DatabaseQueue(path: scratch.path))
            try ours.writeWithoutTransaction { database in
                try database.execute(sql: "pragma journal_mode = \(mode)")
                // The file gets its tables when half of what tells whose it is has been read.
                database.trace { event in
                    guard event.description.contains("sqlite_schema") else { return }
                    // With no write-ahead log, the file is locked until we have read the other half.
                    try? theirs.writeWithoutTransaction { database in
                        try database.inTransaction(.immediate) {
                            try Schema.make(database, path: scratch.path)
                            return .commit
                        }
                    }
                }
                try Schema.check(database, path: scratch.path)
            }
        }
    }

    @Test("another program's database is refused and left as it was")
    func foreign() async throws {
        try change("create table theirs(a); insert into theirs values (1)")
        let before = try Data(contentsOf: URL(fileURLWithPath: scratch.path))
        let error = try await refusal(scratch.path)
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains("another program") && error.message.contains(scratch.path))
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path)) == before)
    }

    @Test("a file that is not a database is refused by name")
    func notADatabase() async throws {
        try Data(repeating: 65, count: 9000).write(to: URL(fileURLWithPath: scratch.path))
        let error = try await refusal(scratch.path)
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains("\(scratch.path) is not a database"))
    }

    @Test("a damaged file is refused by name")
    func damaged() async throws {
        try await scratch.withBackend { backend in _ = try await backend.keepHouse() }
        let url = URL(fileURLWithPath: scratch.path)
        var bytes = try Data(contentsOf: url)
        // The header stands, so that it looks like a database; the schema behind it does not.
        for position in 100..<min(8192, bytes.count) { bytes[position] = 0xA5 }
        try bytes.write(to: url)
        let error = try await refusal(scratch.path)
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains("the database \(scratch.path) is damaged"))
    }

    @Test("damage inside is found by the doctor")
    func damageInside() async throws {
        let schema = TableSchema(name: "things", sortKey: nil)
        try await scratch.withBackend { backend in
            let actions = (100..<200).map { number in
                let key = "\(number)"
                let body = AttributeValue.bytes(Array(repeating: 1, count: 900))
                return TableAction(schema, ItemKey(key), .put(["pk": .string(key), "body": body]))
            }
            try await backend.tables.transact(actions)
            _ = try await backend.keepHouse()
        }
        let url = URL(fileURLWithPath: scratch.path)
        var bytes = try Data(contentsOf: url)
        for position in (bytes.count - 8192)..<(bytes.count - 8100) { bytes[position] = 0xA5 }
        try bytes.write(to: url)
        try await scratch.withBackend { backend in
            let diagnosis = try await backend.diagnose()
            #expect(!diagnosis.damage.isEmpty)
        }
    }

    @Test("a path where nobody can write is named", arguments: ["/file/sluice.db", "/file"])
    func unwritable(_ end: String) async throws {
        // A file where a folder should be stops root too; a folder where the file should be as well.
        try Data().write(to: URL(fileURLWithPath: scratch.folder + "/plain"))
        let path = scratch.folder + "/plain" + end
        let error = try await refusal(path)
        #expect(error.code == .unauthorized)
        #expect(error.message.contains(scratch.folder + "/plain"))
    }

    @Test("a path that is a folder is refused by name")
    func folder() async throws {
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        let error = try await refusal(scratch.path)
        #expect(error.message.contains(scratch.path))
    }

    @Test("a full device is out of space, nothing is half done, and work goes on when there is room")
    func fullDevice() async throws {
        let device = scratch.folder + "/device"
        try FileManager.default.createDirectory(atPath: device, withIntermediateDirectories: true)
        guard mount("tmpfs", device, "tmpfs", 0, "size=1m") == 0 else {
            print("skipped: a small device cannot be mounted here (needs root): \(String(cString: strerror(errno)))")
            return
        }
        defer { umount2(device, Int32(MNT_DETACH)) }
        let options = SQLiteOptions(
            path: device + "/sluice.db",
            clock: ManualClock(),
            queues: [QueueSetup(name: "work")]
        )
        let backend = try await SQLiteBackend.open(options)
        let queue = backend.work
        try await queue.send("first")
        let large = Array(repeating: OutgoingMessage(body: Array(repeating: 7, count: 100_000)), count: 10)
        let error = try await #require(throws: PortError.self) { try await queue.send(large) }
        #expect(error.code == .outOfSpace)
        #expect(error.message.contains(options.path))
        #expect(try await queue.depth() == QueueDepth(visible: 1))
        #expect(mount("tmpfs", device, "tmpfs", UInt(MS_REMOUNT), "size=16m") == 0)
        try await queue.send(large)
        #expect(try await queue.depth() == QueueDepth(visible: 11))
        try await backend.close()
    }

    @Test("a closed backend refuses work instead of leaving it waiting")
    func closed() async throws {
        let backend = try await scratch.open()
        let queue = backend.work
        try await backend.close()
        try await backend.close()
        let error = try await #require(throws: PortError.self) { try await queue.send("a") }
        #expect(error.code == .unavailable)
    }
}
