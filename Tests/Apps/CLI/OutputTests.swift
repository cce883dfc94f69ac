// Records as tables and as JSON.
import ArgumentParser
import SluiceAssembly
import SluiceCore
import Testing

@testable import sluice

@Suite("Output")
struct OutputTests {
    private func output(_ format: String) throws -> OutputOptions { try OutputOptions.parse(["--format", format]) }

    @Test("a job is printed with its table's field names, times in RFC 3339, sizes in bytes")
    func job() throws {
        var job = Made.job()
        job.activeSeconds = 1.4060000000000001
        let text = try output("json").text(try job.record())
        let record = try JSONValue.parse(Array(text.utf8))
        #expect(record["reindex_id"]?.stringValue == job.id.text)
        #expect(record["job_status"]?.stringValue == "in_progress")
        #expect(record["extracted_doc_count"]?.intValue == 0)
        #expect(record["created_at"]?.stringValue == "2023-11-14T22:13:20.000Z")
        #expect(record["source_bytes"]?.intValue == 1000)
        #expect(text.contains("\"active_seconds\": 1.406,"))
        #expect(record["live"] == nil)
        #expect(record["status_reason"] == nil)
    }

    @Test("for people a record is a line for each field")
    func lines() throws {
        let text = try output("table").text(["a": "x", "longer": ["p", "q"], "n": 5])
        #expect(text == "a       x\nlonger  p, q\nn       5\n")
    }

    @Test("a list is an array for programs, and a table for people")
    func list() throws {
        let jobs = [Made.job()]
        let json = try output("json").text(try jobs.map { try $0.record() }) { Job.table(jobs) }
        #expect(try JSONValue.parse(Array(json.utf8)).arrayValue?.count == 1)
        let table = try output("table").text([]) { Job.table(jobs) }
        #expect(table.split(separator: "\n").count == 2)
        #expect(table.hasPrefix("REINDEX_ID "))
        #expect(try output("json").text([]) { Job.table([]) } == "[]\n")
    }

    @Test("columns are as wide as their cells, numbers to the right, and no cell breaks the table")
    func table() {
        var table = TextTable(.text("A"), .number("N"), .text("B"))
        table.add("x\ny", "5", "")
        table.add("longer", "1234", "z")
        #expect(table.text == "A          N  B\nx y        5\nlonger  1234  z\n")
    }

    @Test("queues, settings and findings have their fields")
    func others() async throws {
        let depth = NamedDepth(name: "replay", depth: QueueDepth(visible: 1, invisible: 2, delayed: 3))
        #expect(depth.record.members.map(\.name) == ["queue", "visible", "invisible", "delayed"])
        let settings = try await EffectiveSettings.read(environment: ["XDG_CONFIG_HOME": "/nonexistent"])
        let first = try #require(settings.entries.first)
        #expect(ConfigShow.record(first)["key"]?.stringValue == "backend")
        #expect(ConfigShow.record(first)["origin"]?.stringValue == "default")
        #expect(DoctorCommand.record(.wrong("a", "b", fix: "c"))["ok"]?.boolValue == false)
    }
}
