// The object store in a folder: its contract, and what only a file system does to it.
import Glibc
import SluiceCore
import SluiceTestKit
import Testing

@testable import FilesDriver

@Suite("the object store in a folder")
struct FileObjectStoreTests {
    @Test("keeps the contract of object stores", arguments: ObjectStoreContract.cases)
    func contract(promise: ContractCase<ObjectStoreContract.Harness>) async throws {
        let folder = try TestFolder()
        let store = try FileObjectStore(root: folder.path("objects"))
        try await promise.run(ObjectStoreContract.Harness(store: store, time: .manual(ManualClock())))
    }

    @Test("an object is a plain file of its key's name")
    func plainFiles() async throws {
        let folder = try TestFolder()
        let store = try FileObjectStore(root: folder.path)
        try await store.put(Array("hello".utf8), at: "jobs/1/page", onlyIfAbsent: false)
        #expect(try folder.text("jobs/1/page") == "hello")
    }

    @Test(
        "a key that no file can have is refused",
        arguments: [".tmp/x", "a\0b", String(repeating: "x", count: 256), "taken/below", "folder"]
    )
    func impossibleKeys(key: String) async throws {
        let folder = try TestFolder()
        let store = try FileObjectStore(root: folder.path)
        try await store.put([1], at: "taken", onlyIfAbsent: false)
        try await store.put([1], at: "folder/object", onlyIfAbsent: false)
        let error = await #expect(throws: PortError.self) { try await store.put([2], at: key, onlyIfAbsent: false) }
        #expect(error?.code == .invalidRequest)
        #expect(try await store.list(prefix: "", after: nil, limit: 10).map(\.key) == ["folder/object", "taken"])
        #expect(try unfinished(in: folder).isEmpty)
    }

    @Test("deleting the last object of a folder removes the folder, and a later put makes it again")
    func pruning() async throws {
        let folder = try TestFolder()
        let store = try FileObjectStore(root: folder.path)
        for key in ["a/b/c/1", "a/b/c/2", "a/d"] { try await store.put([1], at: key, onlyIfAbsent: false) }
        try await store.delete(["a/b/c/1", "a/b/c/2"])
        #expect(try folder.names(in: "a") == ["d"])
        try await store.delete(["a/d", "a"])
        #expect(try folder.names() == [".tmp"])
        try await store.put([1], at: "a/b/c/1", onlyIfAbsent: true)
        #expect(try await store.size(of: "a/b/c/1") == 1)
    }

    @Test("puts succeed although deletes remove their folder again and again")
    func pruningRace() async throws {
        let folder = try TestFolder()
        let store = try FileObjectStore(root: folder.path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for _ in 0..<50 {
                        try await store.put([1, 2, 3], at: "a/b/\(worker)", onlyIfAbsent: true)
                        #expect(try await store.read("a/b/\(worker)", range: nil) == [1, 2, 3])
                        try await store.delete(["a/b/\(worker)"])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.names() == [".tmp"])
    }

    @Test("a store opens while others of its root are being closed")
    func openedAmongClosing() async throws {
        let folder = try TestFolder()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 {
                group.addTask {
                    for round in 0..<100 {
                        let store = try FileObjectStore(root: folder.path)
                        try await store.put([1], at: "a/\(worker)-\(round)", onlyIfAbsent: true)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try folder.names(in: ".tmp").isEmpty)
    }

    @Test("a list or a read never leaves the root")
    func noEscape() async throws {
        let folder = try TestFolder()
        try folder.write("secret", as: "outside")
        let store = try FileObjectStore(root: folder.path("root"))
        for prefix in ["../", "../out", "a/../../", "/", "//", ".tmp/", "./"] {
            #expect(try await store.list(prefix: prefix, after: nil, limit: 10).isEmpty)
        }
        let error = await #expect(throws: PortError.self) { _ = try await store.read("../outside", range: nil) }
        #expect(error?.code == .invalidRequest)
    }

    @Test("what a crashed writer left is removed at the next opening, what a living one writes is not")
    func orphans() async throws {
        let folder = try TestFolder()
        let first = try FileObjectStore(root: folder.path)
        let writer = try await first.write("a")
        try await writer.append(Array("half ".utf8))
        try Folder.make(folder.path(".tmp/0123456789abcdef"))
        try folder.write("an orphan", as: ".tmp/0123456789abcdef/1")
        try folder.write("an orphan", as: ".tmp/loose")

        let second = try FileObjectStore(root: folder.path)
        #expect(try folder.names(in: ".tmp").count == 2)
        try await writer.append(Array("and half".utf8))
        try await writer.finish()
        #expect(try await second.read("a", range: nil) == Array("half and half".utf8))
    }

    @Test("a closed store leaves nothing but its objects")
    func closing() async throws {
        let folder = try TestFolder()
        func use() async throws {
            let store = try FileObjectStore(root: folder.path)
            try await store.put([1], at: "a", onlyIfAbsent: false)
            let writer = try await store.write("b")
            try await writer.append([2])
        }
        try await use()
        #expect(try folder.names() == [".tmp", "a"])
        #expect(try folder.names(in: ".tmp").isEmpty)
    }

    @Test("a writer that has ended says so")
    func endedWriter() async throws {
        let folder = try TestFolder()
        let store = try FileObjectStore(root: folder.path)
        let writer = try await store.write("a")
        try await writer.append([1])
        try await writer.finish()
        for _ in 0..<2 {
            let error = await #expect(throws: PortError.self) { try await writer.append([2]) }
            #expect(error?.code == .invalidRequest)
        }
        await writer.abandon()
        #expect(try await store.read("a", range: nil) == [1])
    }

    @Test("a root that may not be written is named", .enabled(if: !isRoot, "root may write everywhere"))
    func forbiddenRoot() throws {
        let folder = try TestFolder()
        #expect(chmod(folder.path, 0o500) == 0)
        let error = #expect(throws: PortError.self) { try FileObjectStore(root: folder.path("objects")) }
        #expect(error?.code == .unauthorized)
        #expect(error?.message.contains(folder.path) == true)
    }

    private func unfinished(in folder: TestFolder) throws -> [String] {
        try folder.names(in: ".tmp").flatMap { try folder.names(in: ".tmp/" + $0) }
    }
}
