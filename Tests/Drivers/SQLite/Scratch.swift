// A folder for one test, and a backend in it.
import Foundation
import SQLiteDriver
import SluiceCore
import SluiceTestKit

/// A folder that is removed with whatever is in it once nobody needs it.
final class Scratch: Sendable {
    let folder: String
    var path: String { folder + "/sluice.db" }

    init() throws {
        folder = NSTemporaryDirectory() + "sluice-sqlite-" + SystemRandomSource().hexadecimal(16)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder): \(error)") }
    }

    /// Opens the database of this folder.
    func open(
        clock: any Timekeeping = ManualClock(),
        queues: [QueueSetup] = [QueueSetup(name: "work")],
        busyWait: Duration = .seconds(60),
        durability: SQLiteOptions.Durability = .full
    ) async throws -> SQLiteBackend {
        try await SQLiteBackend.open(
            SQLiteOptions(path: path, durability: durability, clock: clock, queues: queues, busyWait: busyWait)
        )
    }

    /// Opens, does something and closes, whatever came of it.
    func withBackend(
        clock: any Timekeeping = ManualClock(),
        queues: [QueueSetup] = [QueueSetup(name: "work")],
        _ body: (SQLiteBackend) async throws -> Void
    ) async throws {
        let backend = try await open(clock: clock, queues: queues)
        do {
            try await body(backend)
        } catch {
            try await backend.close()
            throw error
        }
        try await backend.close()
    }
}

extension SQLiteBackend {
    /// The queue that every scratch backend has.
    var work: SQLiteQueue {
        guard let queue = queue("work") else { preconditionFailure("scratch backends are opened with it") }
        return queue
    }
}

extension MessageQueue {
    func send(_ texts: String...) async throws {
        try await send(texts.map { OutgoingMessage(body: Array($0.utf8)) })
    }

    /// What is there now.
    func texts(limit: Int = 100, invisible: Duration = .seconds(30)) async throws -> [String] {
        try await receive(limit: limit, invisible: invisible, wait: .zero).map {
            String(decoding: $0.body, as: UTF8.self)
        }
    }
}
