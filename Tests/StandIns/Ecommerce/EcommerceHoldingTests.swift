// Tries what the Ecommerce stand-in gives back of what it holds, and what it says of itself.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@Suite("What the Ecommerce stand-in holds", .timeLimit(.minutes(10)))
struct EcommerceHoldingTests {
    private func with(
        _ options: EcommerceOptions = EcommerceOptions(),
        _ body: (EcommerceStandIn, EcommerceTalk) async throws -> Void
    ) async throws {
        let standIn = EcommerceStandIn(options)
        try await withServer(standIn) { url in try await body(standIn, EcommerceTalk(url)) }
    }

    private func options(_ change: (inout EcommerceOptions) -> Void) -> EcommerceOptions {
        var options = EcommerceOptions()
        change(&options)
        return options
    }

    @Test("documents are given by id, misses by name, a hundred at most")
    func getDocuments() async throws {
        try await with { _, talk async throws in
            _ = try await talk.post(#"{"_id":"a","n":1}"#)
            let path = "/api/v1/indexes/i/get-documents"
            let answer = try await talk.ask("POST", path, #"{"documentIds":["a","b"]}"#)
            #expect(answer.json?["results"]?.arrayValue?[0] == ["_id": "a", "n": 1, "_found": true])
            #expect(answer.json?["results"]?.arrayValue?[1]["_found"] == false)
            let many = (0...100).map { "\"\($0)\"" }.joined(separator: ",")
            #expect(try await talk.ask("POST", path, #"{"documentIds":[\#(many)]}"#).status == 400)
            #expect(try await talk.ask("POST", path, #"{"documentIds":[1]}"#).status == 400)
            #expect(try await talk.ask("POST", path, "{}").status == 400)
        }
    }

    @Test("digests tell contents apart, counts count")
    func holding() async throws {
        try await with(options { $0.holding = .digests }) { standIn, talk async throws in
            let path = "/stand-in/indexes/i/documents"
            _ = try await talk.post(#"{"_id":"a","n":1}"#)
            let first = try await talk.ask("GET", path).body
            _ = try await talk.post(#"{"_id":"a","n":2}"#)
            let second = try await talk.ask("GET", path).body
            _ = try await talk.post(#"{"_id":"a","n":1}"#)
            #expect(first != second)
            #expect(try await talk.ask("GET", path).body == first)
            _ = try await talk.patch(#"{"_id":"a","n":1}"#)
            #expect(try await talk.ask("GET", path).body != first)
            #expect(standIn.count(in: "i") == 1)
        }
        try await with(options { $0.holding = .counts }) { standIn, talk async throws in
            _ = try await talk.post(#"{"_id":"a"},{"_id":"b"}"#)
            _ = try await talk.post(#"{"_id":"a"}"#)
            #expect(standIn.count(in: "i") == 3)
        }
    }

    @Test("what it holds is listed page by page, in the order of ids")
    func listing() async throws {
        try await with { _, talk async throws in
            _ = try await talk.post((0..<25).map { #"{"_id":"x y\#($0)"}"# }.joined(separator: ","))
            var listed: [String] = []
            var cursor: String?
            repeat {
                let query = "limit=10" + (cursor.map { "&after=\($0)" } ?? "")
                let page = try await talk.ask("GET", "/stand-in/indexes/i/documents?\(query)")
                listed += page.body.split(separator: "\n").compactMap { line in
                    (try? JSONValue.parse(String(line)))?["_id"]?.stringValue
                }
                cursor = page.header("Stand-In-Next")
            } while cursor != nil
            #expect(listed == (0..<25).map { "x y\($0)" }.sorted())
            #expect(try await talk.ask("GET", "/stand-in/indexes/i/documents?limit=0").status == 400)
        }
    }

    @Test("counters say what was asked and answered")
    func stats() async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(.status(503), of: .write)
            _ = try await talk.post(#"{"_id":"a"}"#)
            _ = try await talk.job(try await talk.post(#"{"_id":"a"}"#))
            let stats = try #require(try await talk.ask("GET", "/stand-in/stats").json)
            #expect(stats["requests"]?["write"] == ["202": 1, "503": 1])
            #expect(stats["requests"]?["job"] == ["200": 1])
            #expect(stats["faults"] == ["503": 1])
            #expect(stats["documents"] == ["i": 1])
            #expect(standIn.stats.count(.write) == 2)
            #expect(standIn.stats.count(.write, 202) == 1)
        }
    }
}
