// Reads back what an index holds.
import HTTPDriver
package import SluiceCore

extension EcommerceSink: ListableSink {
    /// What the API takes in one call.
    package var readIDsMax: Int { 100 }

    /// The largest answer with documents: 100 of over half a megabyte each.
    private static let documentsBytesMax = 64 << 20

    package func read(_ ids: [String]) async throws(SinkError) -> [JSONValue?] {
        precondition(ids.count <= readIDsMax, "at most \(readIDsMax) ids a call")
        guard !ids.isEmpty else { return [] }
        let question: JSONValue = ["documentIds": .array(ids.map { .string($0) })]
        let call = HTTPCall(
            .post,
            readURL,
            headers: [("Content-Type", "application/json")],
            body: HTTPBody(question.bytes())
        )
        let (_, body) = try await ask(call)
        guard let results = (try? JSONValue.parse(body))?["results"]?.arrayValue else {
            throw .transient("the server's answer to get-documents holds no results")
        }
        var found: [[UInt8]: JSONValue?] = [:]
        for result in results {
            guard var document = result.objectValue, let id = document["_id"]?.idText else {
                throw .transient("a result of get-documents has no _id")
            }
            // Without the mark it counts as found: who leaves it out has sent the document.
            let isFound = document["_found"]?.boolValue ?? true
            document["_found"] = nil
            found[Array(id.utf8)] = .some(isFound ? .object(document) : nil)
        }
        var records: [JSONValue?] = []
        for id in ids {
            guard let record = found[Array(id.utf8)] else {
                throw .transient("get-documents does not mention \"\(id)\"")
            }
            records.append(record)
        }
        return records
    }

    /// By a path that the stand-in has; the API itself lists no documents.
    package func list(after cursor: String?, limit: Int) async throws(SinkError) -> SinkListing? {
        let after = cursor.map { "&after=\(EcommerceURL.escaped($0))" } ?? ""
        let call = HTTPCall(.get, "\(listURL)?limit=\(max(1, min(limit, 1000)))\(after)")
        guard let (reply, body) = try await ask(call, missingIsNil: true) else { return nil }
        guard reply.header("Content-Type") == "application/jsonl" else { return nil }
        var entries: [SinkListing.Entry] = []
        for line in body.split(separator: UInt8(ascii: "\n")) {
            guard let record = try? JSONValue.parse(line), let id = record["_id"]?.idText else {
                throw .transient("a line of the server's list is no document with an _id")
            }
            entries.append(SinkListing.Entry(id: id, record: record))
        }
        guard let next = reply.header("Stand-In-Next") else { return SinkListing(entries: entries, next: nil) }
        guard let cursor = EcommerceURL.unescaped(next) else {
            throw .transient("the server's list names no next page that can be read")
        }
        return SinkListing(entries: entries, next: cursor)
    }

    private func ask(_ call: HTTPCall) async throws(SinkError) -> (HTTPReply, [UInt8]) {
        guard let answer = try await ask(call, missingIsNil: false) else {
            throw .stopped("the server knows no documents here")
        }
        return answer
    }

    private func ask(_ call: HTTPCall, missingIsNil: Bool) async throws(SinkError) -> (HTTPReply, [UInt8])? {
        let reply: HTTPReply
        let body: [UInt8]
        do {
            (reply, body) = try await peer.exchange(call, limit: Self.documentsBytesMax)
        } catch {
            throw Self.isOurs(error) ? .stopped("\(error)") : .transient("\(error)")
        }
        guard !(200..<300).contains(reply.status) else { return (reply, body) }
        let reason = reason(reply, body)
        switch EcommerceRefusal(reply.status) {
        case .missing where missingIsNil: return nil
        case .overload, .outage: throw .transient(reason)
        case .records: throw .stopped(reason)
        case .key, .missing, .address: throw .stopped(mending(reply, reason))
        }
    }
}
