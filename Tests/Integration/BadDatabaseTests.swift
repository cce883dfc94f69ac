// Databases and disks that can't be used: said at once, with what to do, and nothing is made worse.
import Foundation
import GRDBSQLite
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Bad databases and disks", .serialized)
    struct BadDatabaseTests {
        @Test("a database of a newer version is refused by all commands and left as it is")
        func newerDatabase() async throws {
            let sandbox = try Sandbox()
            try await sandbox.workUntilIdle()
            try sandbox.execute("PRAGMA user_version = 4711")
            let before = contents(of: sandbox.database)
            let input = try sandbox.makeRecords(3)
            for words in [
                ["job", "list"], ["worker", "--until-idle"],
                ["reindex", "start", "--source", "file://\(input)", "--sink", "noop:"],
            ] {
                let answer = try await sandbox.run(words)
                #expect([.exited(1), .exited(69)].contains(answer.end), "\(words) \(answer)")
                #expect(answer.errors.contains("newer"), "\(answer.errors)")
                #expect(answer.errors.contains(sandbox.database), "\(answer.errors)")
            }
            #expect(contents(of: sandbox.database) == before)
        }

        @Test(
            "a file that is no database, or a damaged one, is said to be so and left as it is",
            arguments: [false, true]
        )
        func corruptDatabase(isDamaged: Bool) async throws {
            let sandbox = try Sandbox()
            if isDamaged {
                try await sandbox.workUntilIdle()
                var bytes = try #require(contents(of: sandbox.database))
                for index in 0..<4096 { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
                try Data(bytes).write(to: URL(fileURLWithPath: sandbox.database))
            } else {
                try Data(repeating: UInt8(ascii: "?"), count: 20_000).write(to: URL(fileURLWithPath: sandbox.database))
            }
            let before = contents(of: sandbox.database)
            let input = try sandbox.makeRecords(3)
            for words in [
                ["job", "list"], ["worker", "--until-idle"],
                ["reindex", "start", "--source", "file://\(input)", "--sink", "noop:"],
            ] {
                let answer = try await sandbox.run(words)
                #expect([.exited(1), .exited(69)].contains(answer.end), "\(words) \(answer)")
                #expect(answer.errors.contains("backend:"), "\(answer.errors)")
                #expect(answer.errors.contains(sandbox.database), "\(answer.errors)")
                #expect(answer.output.isEmpty)
            }
            #expect(contents(of: sandbox.database) == before)
        }

        @Test(
            "a database where nobody can write is refused by its path",
            arguments: ["/proc/sluice/x.db", "/dev/null/x.db"]
        )
        func unwritableDatabase(path: String) async throws {
            let sandbox = try Sandbox()
            let input = try sandbox.makeRecords(3)
            let answer = try await sandbox.run(
                "reindex",
                "start",
                "--source",
                "file://\(input)",
                "--sink",
                "noop:",
                "--database",
                path
            )
            #expect([.exited(1), .exited(69)].contains(answer.end), "\(answer)")
            #expect(answer.errors.contains("backend:") && answer.errors.contains(path.dropLast(5)), "\(answer.errors)")
        }

        @Test(
            "an output or a source without permission is refused by its path",
            .enabled(if: geteuid() != 0, "root may do anything")
        )
        func permissions() async throws {
            let sandbox = try Sandbox()
            let input = try sandbox.makeRecords(3)
            let locked = sandbox.path("locked")
            try FileManager.default.createDirectory(atPath: locked, withIntermediateDirectories: true)
            chmod(locked, 0o500)
            let sink = try await sandbox.run(
                "reindex",
                "start",
                "--source",
                "file://\(input)",
                "--sink",
                "file://\(locked)/out"
            )
            #expect(sink.end == .exited(64) && sink.errors.contains("sink:"), "\(sink)")
            chmod(input, 0)
            let source = try await sandbox.run("reindex", "start", "--source", "file://\(input)", "--sink", "noop:")
            #expect(source.end == .exited(64) && source.errors.contains("source:"), "\(source)")
        }

        @Test("a full disk pauses the job, and it completes exactly once there is room")
        func fullDisk() async throws {
            let place = NSTemporaryDirectory() + "sluice-full-" + SystemRandomSource().hexadecimal(8)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            defer { rmdir(place) }
            guard mount("tmpfs", place, "tmpfs", 0, "size=600k") == 0 else {
                print("skipped: a full disk needs the right to mount one (\(String(cString: strerror(errno))))")
                return
            }
            defer { umount2(place, CInt(MNT_DETACH)) }
            let sandbox = try Sandbox()
            let input = try sandbox.makeRecords(4000)
            let output = place + "/out.jsonl"
            let id = try await sandbox.create(from: input, to: output)
            // The worker ends by itself, for a paused job is nothing to wait for.
            try await sandbox.workUntilIdle()
            let paused = try await sandbox.job(id)
            #expect(paused.status == "paused", "\(paused)")
            #expect(paused.reason.contains("space") && paused.reason.contains(place), "\(paused.reason)")
            #expect(paused.isBalanced)
            #expect(contents(of: output) == nil)

            let hasRoom = mount("tmpfs", place, "tmpfs", UInt(MS_REMOUNT), "size=40m") == 0
            try #require(hasRoom)
            try await sandbox.succeed("job", "resume", id)
            try await sandbox.workUntilIdle()
            try await sandbox.expectExact(id, from: input, to: output, records: 4000)
            let left = try FileManager.default.contentsOfDirectory(atPath: place)
            #expect(left == ["out.jsonl"])
        }
    }
}

extension Sandbox {
    /// Changes the database as nobody should.
    fileprivate func execute(_ sql: String) throws {
        var connection: OpaquePointer?
        defer { sqlite3_close(connection) }
        try #require(sqlite3_open_v2(database, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        try #require(sqlite3_exec(connection, sql, nil, nil, nil) == SQLITE_OK)
    }
}
