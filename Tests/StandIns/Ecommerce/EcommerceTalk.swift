// How tests talk to the stand-in of the Ecommerce API.
import Foundation
import SluiceCore
import SluiceStandIns
import Testing

/// One request at a time, over a connection of its own.
struct EcommerceTalk {
    let client: RawClient

    init(_ url: String) throws {
        client = try RawClient(url)
    }

    struct Answer {
        var status: Int
        var head: String
        var body: String

        var json: JSONValue? { try? JSONValue.parse(body) }

        func header(_ name: String) -> String? {
            let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }
            return line.map { String($0.dropFirst(name.utf8.count + 2)) }
        }
    }

    /// Status 0 stands for an answer that did not come.
    func ask(_ method: String, _ path: String, _ body: String = "", key: String? = nil) async throws -> Answer {
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n"
        let (text, _) = try await client.exchange(head + (key.map { $0 + "\r\n" } ?? "") + "\r\n" + body)
        guard let end = text.range(of: "\r\n\r\n") else { return Answer(status: 0, head: text, body: "") }
        let answerHead = String(text[..<end.lowerBound])
        let status = answerHead.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return Answer(status: status ?? 0, head: answerHead, body: String(text[end.upperBound...]))
    }

    func post(_ documents: String, index: String = "i") async throws -> Answer {
        try await ask("POST", "/api/v1/indexes/\(index)/documents", #"{"documents":[\#(documents)]}"#)
    }

    func patch(_ documents: String, index: String = "i") async throws -> Answer {
        try await ask("PATCH", "/api/v1/indexes/\(index)/documents", #"{"documents":[\#(documents)]}"#)
    }

    func job(_ answer: Answer, field: String = "job_id", index: String = "i") async throws -> Answer {
        let id = try #require(answer.json?[field]?.stringValue)
        return try await ask("GET", "/api/v1/indexes/\(index)/jobs/\(id)")
    }
}
