// Tries Vespa's stand-in: it keeps the contract that our driver is written for.
import SluiceCore
import SluiceStandIns
import Testing

@Suite("Vespa's stand-in", .timeLimit(.minutes(10)))
struct VespaStandInTests {
    private static let corpus = VespaCorpus(namespace: "ns", schema: "music", count: 200, bucketSize: 5) {
        index,
        bytes in
        bytes += Array(#"{"n":\#(index),"kind":"k\#(index % 4)"}"#.utf8)
    }

    @Test(
        "a request that makes no sense is refused with a message",
        arguments: [
            ("wantedDocumentCount=0", "wantedDocumentCount"), ("wantedDocumentCount=-1", "wantedDocumentCount"),
            ("wantedDocumentCount=x", "wantedDocumentCount"), ("slices=2", "together"), ("sliceId=0", "together"),
            ("slices=2&sliceId=2", "sliceId"), ("slices=0&sliceId=0", "slices"), ("slices=2&sliceId=-1", "sliceId"),
            ("concurrency=0", "concurrency"), ("stream=yes", "stream"), ("bucketSpace=other", "bucket space"),
            ("format.tensors=dense", "format.tensors"), ("continuation=AAAA", "continuation"),
            ("timeout=soon", "timeout"),
            ("fromTimestamp=-1", "fromTimestamp"), ("selection=music.n%20%3E%203", "selection"),
            ("selection=films", "selection"), ("selection=music.n%3D%3D1%20and%20true", "selection"),
            ("fieldSet=films:n", "field set"), ("fieldSet=music:", "field set"), ("cluster=west", "west"),
            ("selection=%zz", "escape"), ("includeRemoves=1", "includeRemoves"),
        ]
    )
    func refused(query: String, word: String) async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            let answer = try await get(url, "/document/v1/ns/music/docid?\(query)")
            #expect(answer.status == 400)
            #expect(answer.json["pathId"] == "/document/v1/ns/music/docid")
            #expect(answer.json["message"]?.stringValue?.contains(word) == true)
        }
    }

    @Test(
        "a path that leads nowhere is told apart from a type that is unknown and a namespace that is empty",
        arguments: [
            ("/document/v1/ns/music", 404), ("/document/v1/ns/films/docid", 400), ("/document/v1/", 400),
            ("/other", 404), ("/document/v1/?cluster=content", 200), ("/document/v1/else/music/docid", 200),
        ]
    )
    func paths(path: String, status: Int) async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            let answer = try await get(url, path)
            #expect(answer.status == status)
            guard path.contains("else") else { return }
            #expect(answer.json["documents"] == [])
            #expect(answer.json["continuation"] == nil)
        }
    }

    @Test("slices are disjoint and together everything, for any number of them", arguments: [1, 2, 3, 7, 100])
    func slices(slices: Int) async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            var ids: [String] = []
            for slice in 0..<slices {
                ids += try await visit(url, "slices=\(slices)&sliceId=\(slice)&wantedDocumentCount=20")
            }
            #expect(ids.count == 200)
            #expect(Set(ids).count == 200)
        }
    }

    @Test("a token forgets the number of slices: with another one documents are left out, and nobody says so")
    func changedSlices() async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            let first = try await get(url, Self.path("slices=4&sliceId=0&wantedDocumentCount=30"))
            let token = try #require(first.json["continuation"]?.stringValue)
            var ids = first.ids
            ids += try await visit(url, "slices=2&sliceId=0&wantedDocumentCount=20", from: token)
            ids += try await visit(url, "slices=2&sliceId=1&wantedDocumentCount=20")
            #expect(Set(ids).count < 200)
        }
    }

    @Test("a selection that names its buckets ignores slices")
    func explicitBuckets() async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            for slice in 0..<2 {
                let query =
                    "slices=2&sliceId=\(slice)&selection=id%3D%3D%22id:ns:music::doc-77%22&wantedDocumentCount=9"
                #expect(try await visit(url, query) == ["id:ns:music::doc-77"])
            }
        }
    }

    @Test("a field's value, and a document's time, select documents")
    func selections() async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            #expect(try await visit(url, "selection=music.kind%20%3D%3D%20'k1'&wantedDocumentCount=9").count == 50)
            #expect(try await visit(url, "selection=music.n%3D%3D7").count == 1)
            #expect(try await visit(url, "selection=false").isEmpty)
            let times = "fromTimestamp=1767225600010000&toTimestamp=1767225600015000"
            #expect(try await visit(url, times).count == 5)
            #expect(try await visit(url, "bucketSpace=global").isEmpty)
        }
    }

    @Test("JSON Lines end with a continuation that has no token and says 100 %")
    func lines() async throws {
        try await withServer(VespaStandIn([Self.corpus])) { (url: String) async throws in
            let path = Self.path("stream=true&wantedDocumentCount=50")
            let first = try await get(url, path, accept: "application/jsonl").lines
            #expect(first.compactMap { $0["put"] }.count >= 50)
            #expect(first.last?["continuation"]?["token"] != nil)
            let share = try #require(first.last?["continuation"]?["percentFinished"]?.doubleValue)
            #expect((10.0...60.0).contains(share))
            let all = try await get(url, Self.path("stream=true"), accept: "application/jsonl").lines
            #expect(all.compactMap { $0["put"] }.count == 200)
            #expect(all.last?["continuation"]?["percentFinished"]?.doubleValue == 100)
            #expect(all.last?["continuation"]?["token"] == nil)
        }
    }

    @Test("an old server gives JSON whatever is accepted, and no more than 1024 documents and their bucket's rest")
    func oldServer() async throws {
        let corpus = VespaCorpus(namespace: "ns", schema: "music", count: 3000, bucketSize: 8) { _, bytes in
            bytes += Array("{}".utf8)
        }
        try await withServer(VespaStandIn([corpus], version: .old)) { url in
            let path = Self.path("stream=true&wantedDocumentCount=3000")
            let answer = try await get(url, path, accept: "application/jsonl")
            #expect((1024...1024 + 16).contains(answer.ids.count))
            #expect(answer.json["documentCount"]?.intValue == answer.ids.count)
            #expect(answer.json["continuation"] != nil)
        }
    }

    @Test("two million documents are visited without being held")
    func generated() async throws {
        let corpus = VespaCorpus(namespace: "ns", schema: "music", count: 2_000_000, bucketSize: 64) { index, bytes in
            bytes += Array(#"{"n":\#(index)}"#.utf8)
        }
        try await withServer(VespaStandIn([corpus])) { url in
            let answer = try await get(url, Self.path("wantedDocumentCount=10"))
            #expect(answer.ids.count >= 10)
        }
    }

    @Test(
        "tensors come in the form that is asked for",
        arguments: [
            (
                "short", #"{"type":"tensor(p{})","cells":{"a":1.0}}"#,
                #"{"type":"tensor<float>(p{},x[2])","blocks":{"0":[1,2]}}"#
            ),
            (
                "long", #"{"type":"tensor(p{})","cells":[{"address":{"p":"a"},"value":1.0}]}"#,
                #"{"type":"tensor<float>(p{},x[2])","blocks":[{"address":{"p":"0"},"values":[1,2]}]}"#
            ),
            ("short-value", #"{"a":1.0}"#, #"{"0":[1,2]}"#),
            ("long-value", #"[{"address":{"p":"a"},"value":1.0}]"#, #"[{"address":{"p":"0"},"values":[1,2]}]"#),
        ]
    )
    func tensors(format: String, mapped: String, mixed: String) async throws {
        let fields =
            #"{"m":{"type":"tensor(p{})","cells":{"a":1.0}},"#
            + #""x":{"type":"tensor<float>(p{},x[2])","blocks":{"0":[1,2]}},"w":{"k":1}}"#
        let corpus = VespaCorpus(namespace: "ns", schema: "music", documents: [("a::b:c", Array(fields.utf8))])
        try await withServer(VespaStandIn([corpus])) { url in
            let answer = try await get(url, Self.path("wantedDocumentCount=9&format.tensors=\(format)"))
            let document = try #require(answer.json["documents"]?.arrayValue?.first)
            #expect(document["id"] == "id:ns:music::a::b:c")
            #expect(try document["fields"]?["m"] == JSONValue.parse(mapped))
            #expect(try document["fields"]?["x"] == JSONValue.parse(mixed))
            #expect(document["fields"]?["w"] == ["k": 1])
        }
    }

    @Test("requests and answers are counted")
    func counted() async throws {
        let standIn = VespaStandIn([Self.corpus])
        try await withServer(standIn) { url in
            _ = try await get(url, Self.path("wantedDocumentCount=0"))
            _ = try await get(url, Self.path("stream=true"))
            _ = try await get(url, "/status")
        }
        #expect(standIn.faults.requests == [.visit: 2, .other: 1])
        #expect(standIn.statuses == [400: 1, 200: 1, 404: 1])
        #expect(standIn.documentsServed == 200)
    }

    private static func path(_ query: String) -> String {
        "/document/v1/ns/music/docid?\(query)"
    }

    /// The ids of all pages.
    private func visit(_ url: String, _ query: String, from start: String? = nil) async throws -> [String] {
        var ids: [String] = []
        var next = start
        repeat {
            let escaped = next?.replacing("+", with: "%2B").replacing("/", with: "%2F").replacing("=", with: "%3D")
            let answer = try await get(url, Self.path(query + (escaped.map { "&continuation=\($0)" } ?? "")))
            #expect(answer.status == 200)
            ids += answer.ids
            next = answer.json["continuation"]?.stringValue
        } while next != nil
        return ids
    }

    private struct Answer {
        var status: Int
        var body: String

        var json: JSONValue { (try? JSONValue.parse(body)) ?? nil }

        var ids: [String] { json["documents"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? [] }

        var lines: [JSONValue] {
            get throws { try body.split(separator: "\n").map { try JSONValue.parse(String($0)) } }
        }
    }

    private func get(_ url: String, _ path: String, accept: String = "*/*") async throws -> Answer {
        let request = "GET \(path) HTTP/1.1\r\nHost: here\r\nAccept: \(accept)\r\nConnection: close\r\n\r\n"
        let (text, _) = try await RawClient(url).exchange(request)
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        let status = try #require(Int(text.split(separator: " ")[1]))
        var body = String(text[end.upperBound...])
        if text[..<end.lowerBound].lowercased().contains("transfer-encoding: chunked") { body = try unchunked(body) }
        return Answer(status: status, body: body)
    }

    private func unchunked(_ body: String) throws -> String {
        var bytes = Array(body.utf8)[...]
        var whole: [UInt8] = []
        while true {
            let line = bytes.prefix { $0 != UInt8(ascii: "\r") }
            let count = try #require(Int(String(decoding: line, as: UTF8.self), radix: 16))
            bytes = bytes.dropFirst(line.count + 2)
            guard count > 0 else { return String(decoding: whole, as: UTF8.self) }
            whole += bytes.prefix(count)
            bytes = bytes.dropFirst(count + 2)
        }
    }
}
