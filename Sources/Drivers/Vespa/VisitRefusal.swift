// What a status other than 200 means for a job.
import HTTPDriver
import SluiceCore

/// Why Vespa, or what stands before it, gave no page.
struct VisitRefusal {
    let status: Int
    let retryAfter: Duration?
    /// What the server says of it.
    let message: String

    /// No more of an error's body is read than this.
    static let bodyBytesMax = 64 << 10
    private static let messageLengthMax = 500

    init(_ reply: HTTPReply, body: [UInt8], now: Timestamp) {
        status = reply.status
        retryAfter = RetryAfter.wait(reply.header("Retry-After"), now: now)
        let value = try? JSONValue.parse(body)
        let text = value?["message"]?.stringValue ?? String(decoding: body, as: UTF8.self)
        let line = text.split { $0.isWhitespace }.joined(separator: " ")
        message = line.isEmpty ? "without a reason" : String(line.prefix(Self.messageLengthMax))
    }

    func error(schema: String) -> SourceError {
        switch status {
        case 400: .stopped("the request is refused (400); check schema, selection and field set: \(message)")
        case 401, 403: .stopped("access is denied (\(status)); check certificate and key, or the token: \(message)")
        case 404:
            .stopped(
                "there is no schema \"\(schema)\" in its namespace (404); check the index's name or `schema`: \(message)"
            )
        case 408: transient("the request timed out")
        case 412: transient("a condition was not met")
        case 413: transient("the request or its answer is too large")
        case 429: transient("the queue is full")
        case 500: transient("internal error")
        case 502: transient("a proxy has no answer")
        case 503: transient("the service is unavailable")
        case 504: transient("no bucket was visited in time")
        case 507: transient("the content nodes are out of memory or disk")
        case 500...599: transient("server error")
        default: .stopped("the answer has the status \(status), which no visit has: \(message)")
        }
    }

    private func transient(_ name: String) -> SourceError {
        .transient("\(name) (\(status)): \(message)", after: retryAfter)
    }
}
