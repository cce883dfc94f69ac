// Sources of tests, and the comparison of outputs with them.
import Foundation
import GRDBSQLite
import SluiceCore
import Testing

extension Sandbox {
    /// Writes a file of records of about 300 bytes; its path.
    func makeRecords(_ count: Int, as name: String = "docs.jsonl", seed: UInt64 = 1) throws -> String {
        let random = SeededRandomSource(seed: seed)
        let lines = (0..<count).map { number in
            let text = String(repeating: random.hexadecimal(16) + " ", count: 11 + Int(random.next() % 7))
            return #"{"_id":"doc-\#(number)","number":\#(number).0,"title":"née \#(number % 97)","text":"\#(text)"}"#
        }
        return try write(lines.joined(separator: "\n") + "\n", as: name)
    }

    /// Writes a file; its path.
    @discardableResult
    func write(_ text: String, as name: String) throws -> String {
        try write(Array(text.utf8), as: name)
    }

    @discardableResult
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: path(name)))
        return path(name)
    }

    /// The lines of a file, sorted.
    func lines(of path: String) throws -> [String] {
        let bytes = try #require(contents(of: path), "there is no \(path)")
        try #require(bytes.isEmpty || bytes.last == UInt8(ascii: "\n"), "\(path) ends within a line")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init).sorted()
    }

    /// The output holds every record of the source once, to the byte.
    func expectSameRecords(_ output: String, as input: String) throws {
        let wanted = try lines(of: input)
        let found = try lines(of: output)
        guard wanted != found else { return }
        let missing = Set(wanted).subtracting(found)
        let foreign = Set(found).subtracting(wanted)
        Issue.record(
            """
            \(output) has \(found.count) records, \(Set(found).count) different ones, and should have \(wanted.count); \
            \(missing.count) are missing, such as \(missing.sorted().first ?? "none"); \
            \(foreign.count) are foreign, such as \(foreign.sorted().first ?? "none")
            """
        )
    }

    /// A job that came to a good end: every record counted once and there once, and nothing left over.
    func expectExact(_ id: String, from input: String, to output: String, records: Int) async throws {
        let job = try await job(id)
        #expect(job.status == "completed", "\(job)")
        #expect(job.extracted == records)
        #expect(job.completed == records)
        #expect(job.replayed == records)
        #expect(job.open == 0)
        #expect(job.deadLettered == 0)
        #expect(job.count("skipped") == 0)
        try expectSameRecords(output, as: input)
    }

    /// Beside the named files nothing is in the folder of outputs, and no payload is kept.
    func expectNoLeftovers(beside names: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: work).sorted()
        #expect(found == names.sorted(), sourceLocation: sourceLocation)
        let payloads = database + ".objects/payload"
        guard FileManager.default.fileExists(atPath: payloads) else { return }
        let kept = try FileManager.default.subpathsOfDirectory(atPath: payloads).filter { name in
            var isFolder: ObjCBool = false
            let isThere = FileManager.default.fileExists(atPath: payloads + "/" + name, isDirectory: &isFolder)
            return isThere && !isFolder.boolValue
        }
        #expect(kept == [], sourceLocation: sourceLocation)
    }

    /// SQLite finds nothing wrong with the file.
    func expectSoundDatabase(sourceLocation: SourceLocation = #_sourceLocation) throws {
        var connection: OpaquePointer?
        defer { sqlite3_close(connection) }
        try #require(sqlite3_open_v2(database, &connection, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK)
        sqlite3_busy_timeout(connection, 10_000)
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        try #require(sqlite3_prepare_v2(connection, "PRAGMA integrity_check", -1, &statement, nil) == SQLITE_OK)
        try #require(sqlite3_step(statement) == SQLITE_ROW)
        let answer = try #require(sqlite3_column_text(statement, 0).map { String(cString: $0) })
        #expect(answer == "ok", sourceLocation: sourceLocation)
    }
}
