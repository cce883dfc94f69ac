// Sources that are broken somewhere in the middle: the place is named, and the job stops or goes on as it was told.
import Foundation
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Bad sources", .serialized)
    struct BadSourceTests {
        /// A line that can't be moved, and what is said of it.
        struct Case: Sendable, CustomTestStringConvertible {
            var name: String
            var line: [UInt8]
            var says: String
            /// Where in the line the trouble is, from 0; nil if the line as a whole is it.
            var offset: Int?

            var testDescription: String { name }
        }

        static let cases = [
            Case(name: "broken JSON", line: Array(#"{"_id":"x","a":}"#.utf8), says: "byte", offset: 15),
            Case(name: "half an object", line: Array(#"{"_id":"x","a":1"#.utf8), says: "ends", offset: 16),
            Case(
                name: "invalid UTF-8",
                line: Array(#"{"_id":"x","a":"q"#.utf8) + [0xFF, 0x22, 0x7D],
                says: "UTF-8",
                offset: 17
            ),
            Case(name: "no _id", line: Array(#"{"id":"x","a":1}"#.utf8), says: "_id", offset: 15),
            Case(name: "no object", line: Array("[1,2]".utf8), says: "object", offset: 0),
        ]

        static let good = 40
        static let badLine = 21

        /// Good records with a bad line among them; the place where that begins.
        private func makeSource(_ sandbox: Sandbox, _ line: [UInt8]) throws -> (path: String, begin: Int) {
            let path = try sandbox.makeRecords(Self.good)
            let lines = try #require(contents(of: path)).split(separator: UInt8(ascii: "\n"))
            var bytes: [UInt8] = []
            for good in lines[..<(Self.badLine - 1)] { bytes += good + [UInt8(ascii: "\n")] }
            let begin = bytes.count
            bytes += line + [UInt8(ascii: "\n")]
            for good in lines[(Self.badLine - 1)...] { bytes += good + [UInt8(ascii: "\n")] }
            return (try sandbox.write(bytes, as: "docs.jsonl"), begin)
        }

        @Test(
            "stop pauses the job with 4 and names line and byte; dead-letter moves the rest and ends with 3",
            arguments: cases
        )
        func badLine(_ item: Case) async throws {
            let sandbox = try Sandbox()
            let (input, begin) = try makeSource(sandbox, item.line)
            let before = contents(of: input)
            let words = ["reindex", "start", "--source", "file://\(input)", "--wait", "--format", "json", "--sink"]
            let stopped = try await sandbox.run(words + ["file://\(sandbox.path("stop.jsonl"))"])
            #expect(stopped.end == .exited(4), "\(stopped)")
            let paused = try ShownJob(stopped.output)
            #expect(paused.status == "paused")
            #expect(
                paused.reason.contains("line \(Self.badLine), byte \(begin + (item.offset ?? 0))"),
                "\(paused.reason)"
            )
            #expect(paused.reason.contains("docs.jsonl"), "\(paused.reason)")
            #expect(paused.reason.contains(item.says), "\(paused.reason)")
            #expect(paused.reason.contains("--on-bad-record dead-letter"), "\(paused.reason)")
            #expect(contents(of: sandbox.path("stop.jsonl")) == nil)
            #expect(paused.isBalanced)

            let letters = try await sandbox.run(
                words + ["file://\(sandbox.path("rest.jsonl"))", "--on-bad-record", "dead-letter"]
            )
            #expect(letters.end == .exited(3), "\(letters)")
            let ended = try ShownJob(letters.output)
            #expect(ended.status == "completed_with_failures")
            #expect(ended.deadLettered == 1)
            #expect(ended.completed == Self.good)
            #expect(try sandbox.lines(of: sandbox.path("rest.jsonl")).count == Self.good)
            #expect(contents(of: input) == before)
            try await expectDeadLetter(item, at: begin, in: ended, sandbox)

            // The advice that the paused job gave is good.
            try await sandbox.succeed("job", "set", paused.id, "--on-bad-record", "dead-letter")
            try await sandbox.succeed("job", "resume", paused.id)
            try await sandbox.workUntilIdle()
            let mended = try await sandbox.job(paused.id)
            #expect(mended.status == "completed_with_failures")
            #expect(mended.completed == Self.good)
            let moved = try sandbox.lines(of: sandbox.path("stop.jsonl"))
            #expect(moved == (try sandbox.lines(of: sandbox.path("rest.jsonl"))))
        }

        /// It names the place, gives the bytes back, and is never sent: no sink could take it.
        private func expectDeadLetter(_ item: Case, at begin: Int, in job: ShownJob, _ sandbox: Sandbox) async throws {
            let listed = try await sandbox.succeed("dead-letters", "list", job.id, "--format", "json")
            let letter = try #require(JSONValue.parse(listed).arrayValue?.first)
            let reason = letter["reason"]?.stringValue ?? ""
            #expect(
                reason.hasPrefix("line \(Self.badLine), byte \(begin + (item.offset ?? 0)) of docs.jsonl: "),
                "\(reason)"
            )
            #expect(reason.contains(item.says), "\(reason)")
            let export = try sandbox.start("dead-letters", "export", job.id)
            try await export.waitForEnd()
            #expect(export.outputBytes == item.line + [UInt8(ascii: "\n")])

            let redriven = try await sandbox.run("dead-letters", "redrive", job.id)
            #expect(redriven.end == .exited(0))
            #expect(redriven.output == "0\n")
            #expect(redriven.errors.contains("1 dead letter can't be sent"), "\(redriven.errors)")
            try await sandbox.workUntilIdle()
            #expect(try await sandbox.job(job.id).deadLettered == 1)
        }

        @Test("a record of 50 MB is refused by its size, and the rest is moved")
        func hugeRecord() async throws {
            let sandbox = try Sandbox()
            let huge = Array(#"{"_id":"huge","text":""#.utf8) + Array(repeating: UInt8(ascii: "x"), count: 50 << 20)
            let (input, _) = try makeSource(sandbox, huge + Array(#""}"#.utf8))
            let words = ["reindex", "start", "--source", "file://\(input)", "--wait", "--format", "json", "--sink"]
            let stopped = try await sandbox.run(words + ["file://\(sandbox.path("stop.jsonl"))"])
            #expect(stopped.end == .exited(4), "\(stopped.end) \(stopped.errors)")
            let reason = try ShownJob(stopped.output).reason
            #expect(reason.contains("line \(Self.badLine)"), "\(reason)")
            #expect(reason.contains("33554432"), "\(reason)")

            let letters = try await sandbox.run(
                words + ["file://\(sandbox.path("rest.jsonl"))", "--on-bad-record", "dead-letter"]
            )
            #expect(letters.end == .exited(3), "\(letters.end) \(letters.errors)")
            let ended = try ShownJob(letters.output)
            #expect(ended.deadLettered == 1)
            #expect(ended.completed == Self.good)
            #expect(try sandbox.lines(of: sandbox.path("rest.jsonl")).count == Self.good)
        }

        @Test("an empty file completes with nothing moved")
        func emptyFile() async throws {
            let sandbox = try Sandbox()
            let input = try sandbox.write("", as: "docs.jsonl")
            let output = sandbox.path("out.jsonl")
            let id = try await sandbox.create(from: input, to: output)
            try await sandbox.workUntilIdle()
            try await sandbox.expectExact(id, from: input, to: output, records: 0)
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl", "out.jsonl"])
        }

        enum Change: String, Sendable, CaseIterable {
            case grows, shrinks, isReplaced = "is replaced", isRemoved = "is removed"

            func make(on path: String) throws {
                switch self {
                case .grows:
                    let file = try #require(fopen(path, "ae"))
                    defer { fclose(file) }
                    fputs("{\"_id\":\"late\"}\n", file)
                case .shrinks: try #require(truncate(path, 100_000) == 0)
                case .isReplaced:
                    let bytes = try #require(contents(of: path))
                    try Data(bytes.reversed()).write(to: URL(fileURLWithPath: path), options: .atomic)
                case .isRemoved: try FileManager.default.removeItem(atPath: path)
                }
            }
        }

        @Test("a source that changes while it is read is never taken for what it was", arguments: Change.allCases)
        func change(_ change: Change) async throws {
            let sandbox = try Sandbox(["SLUICE_INFLIGHT_MAX": "200", "SLUICE_CHUNK_RECORDS_MAX": "20"])
            let input = try sandbox.makeRecords(2000)
            let start = try sandbox.start(
                "reindex",
                "start",
                "--source",
                "file://\(input)",
                "--sink",
                "file://\(sandbox.path("out.jsonl"))",
                "--concurrency",
                "2",
                "--page-size",
                "40",
                "--rate",
                "400",
                "--wait",
                "--format",
                "json"
            )
            try await sandbox.waitForCompleted()
            try change.make(on: input)
            let end = try await start.waitForEnd()
            let job = try ShownJob(start.output)
            #expect(end == .exited(6), "\(start.errors)")
            #expect(job.status == "failed", "\(job)")
            #expect(job.reason.contains("docs.jsonl"), "\(job.reason)")
            #expect(job.isBalanced)
            #expect(contents(of: sandbox.path("out.jsonl")) == nil)
        }
    }
}
