// Requests that make no sense, by the real program: an exit code, the field and the fix, and nothing changed.
import Foundation
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Bad requests", .serialized)
    struct BadRequestTests {
        /// A command, in whose words `@` stands for the folder of the test, and what it is to say.
        struct Case: Sendable, CustomTestStringConvertible {
            var name: String
            var words: [String]
            var code: Int32 = 64
            /// The field, and what mends it.
            var says: [String]

            var testDescription: String { name }

            static func start(_ name: String, _ more: String..., code: Int32 = 64, says: String...) -> Case {
                let common = ["reindex", "start", "--source", "file://@/docs.jsonl", "--sink", "file://@/out.jsonl"]
                return Case(name: name, words: common + more, code: code, says: says)
            }

            static func moving(_ name: String, from source: String, to sink: String, says: String...) -> Case {
                Case(name: name, words: ["reindex", "start", "--source", source, "--sink", sink], says: says)
            }
        }

        static let source = "file://@/docs.jsonl"

        static let cases: [Case] = [
            .start("fields with a post", "--fields", "a", says: "fields:", "--type patch"),
            .start("no fields with a patch", "--type", "patch", says: "fields:", "--fields"),
            .start("an empty list of fields", "--type", "patch", "--fields", "", says: "fields:", "at least one"),
            .start("an empty field name", "--type", "patch", "--fields", "a,,b", says: "fields:", "comma"),
            .start("a field named twice", "--type", "patch", "--fields", "a,a", says: "fields:", "once"),
            .start("an empty skip list", "--skip-if-present", "", says: "skip-if-present:", "at least one"),
            .start("no slices", "--concurrency", "0", says: "concurrency:", "1 to 256"),
            .start("too many slices", "--concurrency", "257", says: "concurrency:", "1 to 256"),
            .start("slices in words", "--concurrency", "many", says: "concurrency", "--help"),
            .start("no rate at all", "--rate", "0", says: "rate:", "unlimited"),
            .start("too many deliveries", "--delivery-concurrency", "257", says: "delivery-concurrency:", "1 to 256"),
            .start("too large a page", "--page-size", "10001", says: "page-size:", "1 to 10000"),
            .start("a budget of nothing", "--failure-budget", "0%", says: "failure-budget:", "1%"),
            .start("an unknown type", "--type", "replace", says: "--type", "patch"),
            .start("an empty id field", "--id-field", "", says: "id-field:"),
            .start("an account with a #", "--account", "a#b", says: "account:", "#"),
            .start("a misspelt option", "--concurency", "4", says: "concurency", "--help"),
            .start(
                "a misspelt setting",
                "--set",
                "chunk.record.max=5",
                code: 78,
                says: "chunk.record.max",
                "chunk.records.max"
            ),
            .start(
                "a setting out of range",
                "--set",
                "chunk.records.max=500",
                code: 78,
                says: "chunk.records.max",
                "1 to 100"
            ),
            .start("a setting without a value", "--set", "chunk.records.max", code: 78, says: "set", "key=value"),
            .moving("a missing source", from: "file://@/none.jsonl", to: "noop:", says: "source:", "none.jsonl"),
            .moving("a source that is no URL", from: "docs.jsonl", to: "noop:", says: "source:", "file:"),
            .moving("a source with a password", from: "file://u:p@h/x", to: "noop:", says: "source:", "remove it"),
            .moving("an unknown sink", from: source, to: "ftp://h/x", says: "sink:", "noop:"),
            .moving("an output that exists", from: source, to: "file://@/there.jsonl", says: "sink:", "--overwrite"),
            .moving(
                "an output in no folder",
                from: source,
                to: "file://@/no/out.jsonl",
                says: "sink:",
                "make it first"
            ),
            .moving("an output that is a folder", from: source, to: "file://@", says: "sink:", "file"),
            Case(
                name: "an output that is its own source",
                words: ["reindex", "start", "--source", source, "--sink", source, "--overwrite"],
                says: ["sink:", "choose another"]
            ),
            Case(name: "a malformed id", words: ["job", "show", "nonsense"], says: ["reindex_id:", "YYYY-MM-DD"]),
        ]

        @Test("name the field and the fix, and change nothing", arguments: cases)
        func request(_ item: Case) async throws {
            let sandbox = try Sandbox()
            let input = try sandbox.makeRecords(3)
            let before = contents(of: input)
            try sandbox.write("precious\n", as: "there.jsonl")
            let words = item.words.map { $0.hasPrefix("file://u:p@") ? $0 : $0.replacing("@", with: sandbox.work) }
            let answer = try await sandbox.run(words)
            #expect(answer.end == .exited(item.code), "\(answer)")
            for text in item.says { #expect(answer.errors.contains(text), "\(answer.errors)") }
            #expect(answer.errors.split(separator: "\n").count == 1, "\(answer.errors)")
            #expect(answer.output.isEmpty, "\(answer.output)")
            #expect(try await sandbox.jobs().isEmpty)
            #expect(contents(of: input) == before)
            #expect(contents(of: sandbox.path("there.jsonl")) == Array("precious\n".utf8))
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl", "there.jsonl"])
        }

        @Test("an id that no job has is named, with where to look")
        func unknownID() async throws {
            let sandbox = try Sandbox()
            try await sandbox.workUntilIdle()
            for verb in ["show", "pause", "resume", "cancel", "watch"] {
                let answer = try await sandbox.run("job", verb, "2026-01-01-00-00-00-00000000")
                #expect(answer.end == .exited(1), "\(verb) \(answer)")
                #expect(answer.errors.contains("reindex_id: no job 2026-01-01"), "\(answer.errors)")
                #expect(answer.errors.contains("sluice job list"), "\(answer.errors)")
            }
        }

        @Test("a misspelt key of the file or the environment ends everything with 78 and names the nearest")
        func misspeltKey() async throws {
            let sandbox = try Sandbox()
            let file = try sandbox.write("chunk:\n  record:\n    max: 5\n", as: "config.yaml")
            for more in [["SLUICE_CONFIG": file], ["SLUICE_CHUNK_RECORD_MAX": "5"]] {
                for words in [["worker", "--until-idle"], ["job", "list"], ["config", "show"]] {
                    let answer = try await sandbox.run(words, with: more)
                    #expect(answer.end == .exited(78), "\(words) \(answer)")
                    #expect(answer.errors.contains("did you mean"), "\(answer.errors)")
                    #expect(answer.output.isEmpty)
                }
            }
            #expect(contents(of: sandbox.database) == nil)
        }
    }
}
