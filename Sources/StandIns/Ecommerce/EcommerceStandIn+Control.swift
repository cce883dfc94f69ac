// What the stand-in says of itself over HTTP, and what can be changed that way.
import HTTPTypes
import Hummingbird
import NIOCore
import SluiceCore
import Synchronization

extension EcommerceStandIn {
    /// Answers what lies under `/stand-in`; nil for calls of the API.
    ///
    /// - `GET stats`: the counters.
    /// - `GET indexes/{index}/documents?after={id}&limit={n}`: documents by id, a line each. A header `Stand-In-Next` is
    ///   the `after` of the next page; without it this was the last.
    /// - `PUT capacity`: `{"at_once": n or null, "per_second": n or null}`.
    func control(_ route: EcommerceRoute, _ request: Request) async throws -> Response? {
        switch route {
        case .stats: Self.json(200, statistics())
        case .listing(let index): options.listsDocuments ? listing(index, request) : nil
        case .capacity: try await setCapacity(request)
        case .documents, .read, .job, .unknown: nil
        }
    }

    private func statistics() -> [UInt8] {
        let (stats, documents) = world.withLock { world in
            (world.stats, world.indexNames.map { ($0, world.count(in: $0)) })
        }
        return stats.json(faults: faults.struck, documents: documents).bytes()
    }

    private static let pageMax = 1000

    private func listing(_ index: String, _ request: Request) -> Response {
        let query = request.uri.query.map { Self.parameters($0) } ?? [:]
        guard let limit = Int(query["limit"] ?? "\(Self.pageMax)"), (1...Self.pageMax).contains(limit) else {
            return Self.refusal(EcommerceRefusal(400, "limit is 1 to \(Self.pageMax)"), now: clock.now)
        }
        let now = clock.now
        let page = world.withLock { world in
            world.processDue(now)
            // One more, to know whether this is the last page.
            return world.page(of: index, after: query["after"].map { Array($0.utf8) }, limit: limit + 1)
        }
        var lines: [UInt8] = []
        for (id, held) in page.prefix(limit) {
            switch held {
            case .document(let bytes) where bytes.contains(UInt8(ascii: "\n")):
                // It was sent over several lines.
                if let value = try? JSONValue.parse(bytes) { value.write(into: &lines) }
            case .document(let bytes):
                lines += bytes
            case .digest(let digest):
                let text = String(decoding: id, as: UTF8.self)
                let object: JSONValue = ["_id": .string(text), "digest": .string(EcommerceJSON.hexadecimal(digest))]
                object.write(into: &lines)
            }
            lines.append(UInt8(ascii: "\n"))
        }
        var response = Self.json(200, lines)
        response.headers[.contentType] = "application/jsonl"
        if page.count > limit { response.headers[Self.nextHeader] = EcommerceRoute.escaped(page[limit - 1].id) }
        return response
    }

    private func setCapacity(_ request: Request) async throws -> Response {
        guard let body = try await request.bytes(upTo: 65_536),
            let object = (try? JSONValue.parse(Array(body.readableBytesView)))?.objectValue
        else { return Self.refusal(EcommerceRefusal(400, "the body must be a JSON object"), now: clock.now) }
        for name in ["at_once", "per_second"] {
            guard let value = object[name], !value.isNull else { continue }
            guard let number = value.intValue, number >= 0 else {
                return Self.refusal(EcommerceRefusal(400, "\(name) must be null or a number from 0"), now: clock.now)
            }
        }
        change { options in
            if let value = object["at_once"] { options.capacity.requestsAtOnce = value.intValue }
            if let value = object["per_second"] { options.capacity.requestsPerSecond = value.intValue }
        }
        return Self.json(200, Array("{}".utf8))
    }

    private static func parameters(_ query: String) -> [String: String] {
        var parameters: [String: String] = [:]
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, let value = EcommerceRoute.unescaped(pair[1]) else { continue }
            parameters[String(pair[0])] = value
        }
        return parameters
    }
}
