// Answers each request as a test says, and keeps what was asked.
import HTTPTypes
package import Hummingbird
import NIOCore
import SluiceCore
import Synchronization

/// Any peer, for tests that need a few answers and not a whole service: run it with `withServer`.
package final class ScriptedStandIn: HTTPResponder {
    package typealias Context = StandInContext

    /// What was asked.
    package struct Asked: Sendable {
        package let method: String
        /// Path and query as they came over the wire.
        package let target: String
        /// Names in lower case.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]

        package func header(_ name: String) -> String? {
            headers.first { $0.name == name.lowercased() }?.value
        }

        package var path: String { String(target.prefix { $0 != "?" }) }
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// What is answered.
    package struct Answer: Sendable {
        package var status: Int
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// What happens to the connection instead of, or during, the answer.
        package var fault: ConnectionFault?

        package init(
            _ status: Int = 200,
            _ body: String = "",
            headers: [(name: String, value: String)] = [],
            fault: ConnectionFault? = nil
        ) {
            self.status = status
            self.headers = headers
            self.body = Array(body.utf8)
            self.fault = fault
        }

        package static func fault(_ fault: ConnectionFault) -> Answer { Answer(fault: fault) }
    }

    private let script: @Sendable (_ number: Int, Asked) -> Answer
    private let requests = Mutex<[Asked]>([])
    private static let bodyMax = 16 << 20

    /// - Parameter script: the answer to a request, and which one since the beginning it is, counted from 1.
    package init(_ script: @escaping @Sendable (_ number: Int, Asked) -> Answer) {
        self.script = script
    }

    /// Gives these answers one after the other, then the last one again and again.
    package convenience init(_ answers: [Answer]) {
        self.init { number, _ in
            answers.isEmpty ? Answer(500, "no answer was scripted") : answers[min(number, answers.count) - 1]
        }
    }

    /// All that was asked so far.
    package var asked: [Asked] { requests.withLock { $0 } }

    package func respond(to request: Request, context: StandInContext) async throws -> Response {
        let body = try await request.bytes(upTo: Self.bodyMax) ?? ByteBuffer()
        let asked = Asked(
            method: request.method.rawValue,
            target: request.head.path ?? "",
            headers: Self.headers(of: request),
            body: Array(body.readableBytesView)
        )
        let number = requests.withLock { requests in
            requests.append(asked)
            return requests.count
        }
        let answer = script(number, asked)
        var fields = HTTPFields()
        for header in answer.headers {
            if let name = HTTPField.Name(header.name) { fields.append(HTTPField(name: name, value: header.value)) }
        }
        let response = Response(
            status: .init(code: answer.status),
            headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
        )
        guard let fault = answer.fault else { return response }
        return try await context.answer(response, with: fault, clock: WallClock())
    }

    private static func headers(of request: Request) -> [(name: String, value: String)] {
        let host = request.head.authority.map { [(name: "host", value: $0)] } ?? []
        return host + request.headers.map { (name: $0.name.canonicalName, value: $0.value) }
    }
}
