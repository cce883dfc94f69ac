// Vespa's document/v1 over HTTP.
import HTTPTypes
package import Hummingbird
import NIOCore
package import SluiceCore
import Synchronization

/// Answers visits of the schemas it holds, rightly or as the faults say.
///
/// Serve it with `withServer` or `StandInServer`.
package final class VespaStandIn: HTTPResponder {
    package typealias Context = StandInContext
    package typealias Faults = RequestFaults<VespaRequest, VespaFault>

    /// What kind of server it is.
    package struct Version: Sendable {
        /// False before Vespa 8.593: whoever asks for JSON Lines gets JSON.
        package var speaksLines: Bool
        /// Vespa before April 2023 brings no more than 1024 documents, whatever is wanted.
        package var wantedMax: Int?

        package static var current: Version { Version(speaksLines: true, wantedMax: nil) }
        package static var old: Version { Version(speaksLines: false, wantedMax: 1024) }
    }

    private struct Counts {
        var documents = 0
        var statuses: [Int: Int] = [:]
        var lastHeaders = HTTPFields()
        var lastQuery = ""
    }

    package let faults: Faults
    private let corpora: [VespaCorpus]
    private let version: Version
    private let cluster: String
    private let clock: any Timekeeping
    private let counts = Mutex(Counts())

    package init(
        _ corpora: [VespaCorpus],
        version: Version = .current,
        cluster: String = "content",
        faults: Faults = Faults(),
        clock: any Timekeeping = WallClock()
    ) {
        self.corpora = corpora
        self.version = version
        self.cluster = cluster
        self.faults = faults
        self.clock = clock
    }

    /// How many documents were written into answers, however those ended.
    package var documentsServed: Int { counts.withLock { $0.documents } }

    /// How many answers of each status were begun.
    package var statuses: [Int: Int] { counts.withLock { $0.statuses } }

    /// What the latest request had in a header.
    package func lastHeader(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { name in counts.withLock { $0.lastHeaders[name] } }
    }

    /// What the latest request had as a parameter.
    package func lastParameter(_ name: String) -> String? {
        let query = counts.withLock { $0.lastQuery }
        let pair = query.split(separator: "&").first { $0.hasPrefix("\(name)=") }
        return pair.flatMap { VespaQuery.decoded($0.dropFirst(name.utf8.count + 1)) }
    }

    package func respond(to request: Request, context: StandInContext) async throws -> Response {
        let path = request.uri.path
        counts.withLock { counts in
            counts.lastHeaders = request.headers
            counts.lastQuery = request.uri.query ?? ""
        }
        let isVisit = path.hasPrefix("/document/v1/")
        let fault = faults.strike(isVisit ? .visit : .other)
        let response: Response
        if case .status(let status, let retryAfter) = fault {
            response = refusal(status, path, "asked to answer \(status)", retryAfter: retryAfter)
        } else {
            response = answer(request, path, fault)
        }
        counts.withLock { $0.statuses[response.status.code, default: 0] += 1 }
        guard case .connection(let broken) = fault else { return response }
        return try await context.answer(response, with: broken, clock: clock)
    }

    private func answer(_ request: Request, _ path: String, _ fault: VespaFault?) -> Response {
        do throws(VespaBadRequest) {
            let query = try VespaQuery(request.uri.query ?? "")
            guard let corpus = try corpus(at: path, query) else {
                return refusal(404, path, "Nothing at '\(path)'. Known is /document/v1/<namespace>/<type>/docid")
            }
            guard request.method == .get else {
                return refusal(405, path, "'\(request.method)' not allowed at '\(path)'")
            }
            let visit = try VespaVisit(query, of: corpus, wantedMax: version.wantedMax)
            let accepted = request.headers[.accept] ?? ""
            if query.streams, version.speaksLines, accepted.contains("application/jsonl"), !fault.isJSON {
                return lines(visit, fault)
            }
            return whole(visit, path, fault)
        } catch {
            return refusal(400, path, error.message)
        }
    }

    /// The documents that a path and a cluster name; nil if the path is none.
    private func corpus(at path: String, _ query: VespaQuery) throws(VespaBadRequest) -> VespaCorpus? {
        if let named = query.cluster, named != cluster {
            throw VespaBadRequest("Your Vespa deployment has no content cluster '\(named)', only '\(cluster)'")
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        if parts.count == 2 {
            guard query.cluster != nil else {
                throw VespaBadRequest(
                    "Must set 'cluster' parameter to a valid content cluster id when visiting at root level"
                )
            }
            guard corpora.count == 1 else {
                throw VespaBadRequest("this stand-in visits one document type at a time; name it in the path")
            }
            return corpora[0]
        }
        guard parts.count == 5, parts[4] == "docid" else { return nil }
        guard let corpus = corpora.first(where: { $0.schema == parts[3] }) else {
            throw VespaBadRequest("Document type '\(parts[3])' does not exist")
        }
        // Nobody checks namespaces: one that nothing was fed to holds nothing.
        guard corpus.namespace == parts[2] else {
            return VespaCorpus(namespace: String(parts[2]), schema: corpus.schema, documents: [])
        }
        return corpus
    }

    private func lines(_ visit: VespaVisit, _ fault: VespaFault?) -> Response {
        let body = ResponseBody { [self] writer in
            var lines = VespaLines(visit, fault: fault)
            var piece: [UInt8] = []
            while lines.next(into: &piece) { try await writer.write(ByteBuffer(bytes: piece)) }
            counts.withLock { $0.documents += lines.documents }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/jsonl; charset=UTF-8"], body: body)
    }

    private func whole(_ visit: VespaVisit, _ path: String, _ fault: VespaFault?) -> Response {
        let (bytes, documents) = VespaJSON.body(visit, path: path, fault: fault)
        counts.withLock { $0.documents += documents }
        return json(200, bytes)
    }

    private func refusal(_ status: Int, _ path: String, _ message: String, retryAfter: String? = nil) -> Response {
        var response = json(status, JSONValue.object(["pathId": .string(path), "message": .string(message)]).bytes())
        if let retryAfter { response.headers[.retryAfter] = retryAfter }
        return response
    }

    private func json(_ status: Int, _ bytes: [UInt8]) -> Response {
        Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: "application/json;charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}

extension VespaFault? {
    fileprivate var isJSON: Bool {
        if case .asJSON = self { true } else { false }
    }
}
