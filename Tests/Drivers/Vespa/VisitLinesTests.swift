// Lines of an answer one by one, whatever pieces they arrive in.
import SluiceCore
import Testing

@testable import VespaDriver

@Suite("Lines of a visit")
struct VisitLinesTests {
    struct Answer: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let lines: [String]
        /// How the last line ends.
        var end = "\n"
        let expected: Expected

        init(_ name: String, _ lines: [String], end: String = "\n", _ expected: Expected) {
            testDescription = name
            self.lines = lines
            self.end = end
            self.expected = expected
        }
    }

    enum Expected: Sendable, Equatable {
        case page(documents: Int, next: String?)
        case transient(String)
        case stopped(String)
    }

    private static let one = #"{"put":"id:a:b::1","fields":{"t":"é \"\\ }"}}"#
    private static let two = #"{ "fields" : { } , "put" : "id:a:b::2" }"#
    private static let long = #"{"put":"id:a:b::long","fields":{"t":""# + String(repeating: "x", count: 700) + #""}}"#
    private static let end = #"{"continuation":{"percentFinished":100.0}}"#

    private static func on(_ token: String) -> String {
        #"{"continuation":{"token":"\#(token)","percentFinished":20}}"#
    }

    private static let answers: [Answer] = [
        Answer("the whole visit", [one, two, on("t1"), one, end], .page(documents: 3, next: nil)),
        Answer("no newline at the end", [one, end], end: "", .page(documents: 1, next: nil)),
        Answer("CRLF and blank lines", [one + "\r", "", "\r", on("t1") + "\r"], .page(documents: 1, next: "t1")),
        Answer("nothing in it, but more to come", [on("t1")], .page(documents: 0, next: "t1")),
        Answer("nothing in it, and the end", [end], .page(documents: 0, next: nil)),
        Answer(
            "lines that are no documents",
            [#"{"remove":"id:a:b::9"}"#, one, #"{"sessionStats":{}}"#, end],
            .page(documents: 1, next: nil)
        ),
        Answer("a document over the limit", [one, long, two, end], .page(documents: 3, next: nil)),
        Answer("documents behind the last continuation", [one, on("t1"), two, one], .page(documents: 1, next: "t1")),
        Answer(
            "half a line behind it",
            [one, on("t1"), String(one.dropLast(9))],
            end: "",
            .page(documents: 1, next: "t1")
        ),
        Answer(
            "half a continuation behind it",
            [one, on("t1"), two, String(end.dropLast(5))],
            end: "",
            .page(documents: 1, next: "t1")
        ),
        Answer(
            "half a document over the limit",
            [one, on("t1"), String(long.dropLast(9))],
            end: "",
            .page(documents: 1, next: "t1")
        ),
        Answer(
            "the token asked for after another",
            [one, on("t1"), two, on("asked")],
            .page(documents: 1, next: "t1")
        ),
        Answer(
            "another token after the one asked for",
            [one, on("asked"), two, on("t1")],
            .page(documents: 2, next: "t1")
        ),
        Answer("the token asked for and no other", [one, on("asked"), two], .page(documents: 1, next: "asked")),
        Answer(
            "a token at 100 %",
            [one, #"{"continuation":{"token":"t1","percentFinished":100}}"#],
            .page(documents: 1, next: "t1")
        ),
        Answer(
            "a message, and where to go on",
            [one, #"{"message":{"text":"oh"}}"#, on("t1")],
            .page(documents: 1, next: "t1")
        ),
        Answer("a message and a standstill", [one, #"{"message":{"text":"oh"}}"#, on("asked")], .transient("oh")),
        Answer("a message alone", [#"{"message":"oh"}"#], .transient("oh")),
        Answer("nothing at all", [], end: "", .transient("no last continuation")),
        Answer("documents and no continuation", [one, two], .transient("no last continuation")),
        Answer("an end that is none", [one, #"{"continuation":{"percentFinished":99.9}}"#], .transient("99.9 %")),
        Answer("an end that says nothing", [one, #"{"continuation":{}}"#], .transient("unknown share")),
        Answer("a document after the end", [one, end, two], .transient("after the visit's end")),
        Answer("a document over the limit after the end", [one, end, long, one], .transient("after the visit's end")),
        Answer(
            "a line that is no JSON",
            [one, "{\"put\":\"id", on("t1")],
            .transient("line 2 of the answer is no JSON")
        ),
        Answer("such a line behind a continuation", [one, on("t1"), "<html>", end], .page(documents: 1, next: "t1")),
        Answer("a line that is no object", ["[]", end], .transient("line 1 of the answer is no object")),
        Answer("a line over the limit that is no document", ["[\(long)]", end], .transient("is no document")),
        Answer("a line of a kind to come", [one, #"{"update":"id:a:b::1"}"#, end], .stopped("not known here: update")),
    ]

    @Test("an answer is the same page in whatever pieces it arrives", arguments: answers)
    func pieces(answer: Answer) {
        let bytes = Array(answer.lines.joined(separator: "\n").utf8) + Array(answer.end.utf8)
        for size in [1, 2, 3, 5, 8, 13, 64, 100, 699, 4096] {
            #expect(read(bytes, pieces: size) == answer.expected, "in pieces of \(size)")
        }
    }

    @Test("an answer that breaks off anywhere counts up to its last continuation, or gives nothing")
    func prefixes() {
        let lines = [Self.one, Self.on("t1"), Self.two, Self.long, Self.on("t2"), Self.one, Self.end]
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        // A continuation counts from its newline on.
        let counts = [(1, "t1", 2), (3, "t2", 5), (4, nil, 7)].map { documents, token, lineCount in
            (documents, token, lines.prefix(lineCount).joined(separator: "\n").utf8.count + 1)
        }
        for length in 0..<bytes.count {
            let last = counts.last { $0.2 <= length }
            let expected = last.map { Expected.page(documents: $0.0, next: $0.1) } ?? .transient("reset")
            #expect(
                read(Array(bytes[..<length]), pieces: 50, failure: .transient("reset")) == expected,
                "\(length) bytes"
            )
        }
    }

    @Test("what is refused names its length and keeps its beginning")
    func refusal() throws {
        var page = SourcePage()
        var lines = VisitLines(request)
        let text = "\(Self.one)\n\(Self.long)\n\(Self.end)\n"
        _ = Array(text.utf8).withUnsafeBytes { lines.take($0, into: &page) }
        try lines.finish(&page, failure: nil)
        #expect(page.records.map { $0.refusal != nil } == [false, true])
        #expect(page.records[1].refusal == "the document has \(Self.long.utf8.count) bytes, more than the limit of 500")
        #expect(page.bytes[page.records[1].range].starts(with: Array(#"{"put":"id:a:b::long""#.utf8)))
    }

    private let request = PageRequest(
        slice: 0,
        slices: 1,
        continuation: Continuation("asked"),
        bytesWanted: 4096,
        recordBytesMax: 500
    )

    private func read(_ bytes: [UInt8], pieces size: Int, failure: SourceError? = nil) -> Expected {
        var page = SourcePage()
        var lines = VisitLines(request)
        var place = 0
        var isWanted = true
        while isWanted, place < bytes.count {
            let end = min(place + size, bytes.count)
            isWanted = bytes[place..<end].withUnsafeBytes { lines.take($0, into: &page) }
            place = end
        }
        do throws(SourceError) {
            try lines.finish(&page, failure: isWanted ? failure : nil)
            return .page(documents: page.records.count, next: page.next?.text)
        } catch {
            #expect(page.records.isEmpty)
            switch error {
            case .transient(let reason, _): return .transient(Self.words(in: reason))
            case .stopped(let reason), .changed(let reason): return .stopped(Self.words(in: reason))
            }
        }
    }

    /// The words that an answer expects to find in a reason, if they are there.
    private static func words(in reason: String) -> String {
        let expected = answers.compactMap { answer -> String? in
            switch answer.expected {
            case .page: nil
            case .transient(let words), .stopped(let words): words
            }
        }
        return expected.filter { reason.contains($0) }.max { $0.count < $1.count } ?? reason
    }
}
