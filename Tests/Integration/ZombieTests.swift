// A worker that stands still past its leases and wakes when its successor is done changes nothing any more.
import GRDBSQLite
import Glibc
import SluiceCore
import Testing

extension RealProgram {
    @Suite("A worker stopped past its leases", .serialized)
    struct ZombieTests {
        static let settings = [
            "SLUICE_LEASE_SECONDS": "1", "SLUICE_VISIBILITY_SECONDS": "1", "SLUICE_INFLIGHT_MAX": "300",
            "SLUICE_CHUNK_RECORDS_MAX": "25",
        ]
        static let records = 2500

        @Test("nothing it writes after its successor has finished is accepted", arguments: [1, 2, 3, 4] as [UInt64])
        func wakesTooLate(seed: UInt64) async throws {
            let sandbox = try Sandbox(Self.settings)
            let random = SeededRandomSource(seed: seed)
            let input = try sandbox.makeRecords(Self.records)
            let output = sandbox.path("out.jsonl")
            let id = try await sandbox.create(from: input, to: output, "--page-size", "50", "--rate", "1500")
            let zombie = try sandbox.start("worker", "--until-idle")
            try await eventually("the first completed records") {
                try await sandbox.job(id).completed > Int(random.next() % 600) ? () : nil
            }
            try await sandbox.freezeBetweenWrites(zombie)
            let frozen = try await sandbox.job(id)
            try #require(frozen.completed < Self.records, "it was too quick to be stopped in the middle")

            try await sandbox.workUntilIdle()
            try await sandbox.expectExact(id, from: input, to: output, records: Self.records)
            let sheet = try await sandbox.job(id)
            let written = contents(of: output)
            #expect(zombie.end == nil)

            zombie.thaw()
            #expect(try await zombie.waitForEnd() == .exited(0), "\(zombie.errors)")
            #expect(try await sandbox.job(id).record == sheet.record)
            #expect(contents(of: output) == written)
            try sandbox.expectSoundDatabase()
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl", "out.jsonl"])
        }
    }
}

extension Sandbox {
    /// Stops a process where it does not hold the database's write lock, for then nobody could go on until it wakes.
    func freezeBetweenWrites(_ process: SluiceProcess) async throws {
        try await eventually("process \(process.id) to stand still between two writes") {
            try await process.freeze()
            if try isWritable() { return () }
            process.thaw()
            return nil
        }
    }

    private func isWritable() throws -> Bool {
        let lock = try WriteLock(on: database, waiting: 100)
        return lock.isHeld
    }
}

/// The write lock of a database, held by the tests' own process until it is let go.
final class WriteLock {
    private var connection: OpaquePointer?
    let isHeld: Bool

    init(on path: String, waiting milliseconds: Int32 = 10_000) throws {
        guard sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
            throw NotAsExpected("\(path) can't be opened")
        }
        sqlite3_busy_timeout(connection, milliseconds)
        isHeld = sqlite3_exec(connection, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK
    }

    deinit { letGo() }

    func letGo() {
        sqlite3_close(connection)
        connection = nil
    }
}
