// Writes of many tasks share commits without sharing failures.
import Foundation
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SQLiteDriver

@Suite("Group commit")
struct GroupCommitTests {
    private let scratch: Scratch
    private let schema = TableSchema(name: "things", isFollowed: true)

    init() throws { scratch = try Scratch() }

    private func put(_ sort: String, if condition: Condition? = nil) -> TableAction {
        TableAction(schema, ItemKey("p", sort), .put(["pk": .string("p"), "sk": .string(sort)]), if: condition)
    }

    @Test("of writes that share a commit, one that fails is undone alone")
    func isolation() async throws {
        try await scratch.withBackend { backend in
            // The table is made first, so that the writes below are what is collected.
            try await backend.tables.transact([put("first")])
            let gate = Gate()
            async let held: Void = backend.store.write { _ in gate.wait() }
            let outcomes = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            // A failing one has written before it fails: its send comes first in the same piece.
                            let isBad = number % 5 == 0
                            try await backend.store.write { session in
                                try backend.work.rows.insert([OutgoingMessage(body: [UInt8(number)])], in: session)
                                if isBad { throw PortError(.conditionFailed, "on purpose") }
                            }
                            return true
                        } catch let error as PortError where error.code == .conditionFailed {
                            return false
                        }
                    }
                }
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await held
            #expect(outcomes.filter { $0 }.count == 16)
            let bodies = try await backend.work.receive(limit: 100, invisible: .seconds(1), wait: .zero).map(\.body)
            let wanted: [UInt8] = (0..<20).filter { $0 % 5 != 0 }
            #expect(bodies.flatMap { $0 }.sorted() == wanted)
        }
    }

    @Test("numbers that a failed write took for its messages are given to no two others", arguments: [0, 5])
    func numbersAreGivenOnce(company: Int) async throws {
        try await scratch.withBackend { backend in
            let gate = Gate()
            async let held: Void = backend.store.write { _ in gate.wait() }
            let failed = Task {
                try await backend.store.write { session in
                    try backend.work.rows.insert([OutgoingMessage(body: [0])], in: session)
                    throw PortError(.conditionFailed, "on purpose")
                }
            }
            let sharing = (0..<company).map { number in Task { try await backend.work.send("\(number)") } }
            gate.open()
            try await held
            await #expect(throws: PortError.self) { try await failed.value }
            for task in sharing { try await task.value }
            for text in ["a", "b"] { try await backend.work.send(text) }
            let other = try await scratch.open()
            for text in ["c", "d", "e"] { try await other.work.send(text) }
            try await backend.work.send("f")
            try await other.close()
            let wanted = (0..<company).map(String.init) + ["a", "b", "c", "d", "e", "f"]
            #expect(try await backend.work.texts().sorted() == wanted)
        }
    }

    @Test("a batch whose condition fails leaves no item, no message and no change, and deletes nothing")
    func atomicBatch() async throws {
        try await scratch.withBackend { backend in
            let queue = backend.work
            try await queue.send("old")
            let receipts = try await queue.receive(limit: 1, invisible: .seconds(30), wait: .zero).map(\.receipt)
            var batch = AtomicBatch(
                actions: [put("a"), put("b", if: .itemExists)],
                sends: [.init(queue: "work", messages: [OutgoingMessage(body: [1])])],
                deletes: [.init(queue: "work", receipts: receipts)]
            )
            let error = try await #require(throws: PortError.self) { try await backend.commit(batch) }
            #expect(error.code == .conditionFailed && error.failedActions == [1])
            #expect(try await queue.depth() == QueueDepth(invisible: 1))
            let before = try await backend.feed.read(schema, from: .start, limit: 10, wait: .zero)
            #expect(before.changes.isEmpty)

            batch.actions = [put("a"), put("b")]
            try await backend.commit(batch)
            #expect(try await queue.depth() == QueueDepth(visible: 1))
            let page = try await backend.feed.read(schema, from: .start, limit: 10, wait: .zero)
            #expect(page.changes.map(\.key.sort) == ["a", "b"])
        }
    }

    @Test("a task that is cancelled while its write waits leaves the others their answers")
    func cancelled() async throws {
        try await scratch.withBackend { backend in
            let queue = backend.work
            let gate = Gate()
            async let held: Void = backend.store.write { _ in gate.wait() }
            let tasks = (0..<5).map { number in
                Task { try await queue.send([OutgoingMessage(body: [UInt8(number)])]) }
            }
            tasks[2].cancel()
            gate.open()
            try await held
            for task in tasks { try await task.value }
            #expect(try await queue.depth().visible == 5)
        }
    }

    @Test("deleting and sending to a queue that is not there is refused")
    func unknownQueue() async throws {
        try await scratch.withBackend { backend in
            let batch = AtomicBatch(sends: [.init(queue: "none", messages: [OutgoingMessage(body: [1])])])
            let error = try await #require(throws: PortError.self) { try await backend.commit(batch) }
            #expect(error.code == .notFound)
        }
    }
}

/// Holds the writer's thread until it is opened.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() { semaphore.wait() }

    func open() { semaphore.signal() }
}
