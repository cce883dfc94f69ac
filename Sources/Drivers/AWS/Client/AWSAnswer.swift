// What a service answered, and how its errors are read.
package import HTTPDriver
internal import SluiceCore

/// A call that succeeded.
package struct AWSAnswer: Sendable {
    package let reply: HTTPReply
    package let body: [UInt8]

    package var requestID: String? { Self.requestID(reply) }

    static func requestID(_ reply: HTTPReply) -> String? {
        reply.header("x-amzn-RequestId") ?? reply.header("x-amz-request-id")
    }
}

/// What an error's body says, in JSON or in XML, whichever it is.
///
/// A proxy's page is neither, and says nothing: then the status is all there is to tell.
struct AWSErrorBody {
    var code: String?
    var message: String?
    var requestID: String?

    init(_ bytes: [UInt8]) {
        if let root = (try? JSONValue.parse(bytes))?.objectValue {
            code = (root["__type"] ?? root["code"] ?? root["Code"])?.stringValue.map { Self.bare($0) }
            message = (root["message"] ?? root["Message"])?.stringValue
        } else if let root = try? XMLElement.parse(bytes) {
            let error = root.name == "Error" ? root : root["Error"] ?? root["Errors"]?["Error"] ?? root
            code = error["Code"]?.text
            message = error["Message"]?.text
            requestID = (root["RequestId"] ?? root["RequestID"] ?? error["RequestId"])?.text
        }
    }

    /// Whether the body of an answer of status 200 is an error.
    static func isError(_ bytes: [UInt8]) -> Bool {
        (try? XMLElement.parse(bytes))?.name == "Error"
    }

    /// `namespace#Code:http://…` without what is around the code.
    static func bare(_ type: String) -> String {
        let end = type.split(separator: "#").last ?? ""
        return String(end.split(separator: ":").first ?? "")
    }
}

extension AWSError {
    /// The most of a service's words that is worth printing.
    private static let messageMax = 600
    /// Behind these words services repeat what was signed, the session's token in it.
    private static let signedText = "The Canonical String for this request"

    /// What a service's answer other than success says.
    ///
    /// - Parameters:
    ///   - call: what was asked for.
    ///   - service: of whom.
    ///   - reply: the answer's head.
    ///   - body: its body, or the beginning of it.
    ///   - now: our clock, for what the service says of times.
    ///   - secrets: what must not be repeated if the service does.
    init(
        _ call: AWSCall,
        _ service: AWSService,
        _ reply: HTTPReply,
        _ body: [UInt8],
        now: Timestamp,
        secrets: [Secret]
    ) {
        let said = AWSErrorBody(body)
        let type = reply.header("x-amzn-ErrorType").map { AWSErrorBody.bare($0) }
        var message = said.message ?? ""
        if let range = message.firstRange(of: Self.signedText) { message = String(message[..<range.lowerBound]) }
        message = Secret.redacted(message, secrets).split(whereSeparator: \.isNewline).joined(separator: " ")
        if message.isEmpty { message = "the service gave no reason" }
        if let region = reply.header("x-amz-bucket-region") { message += "; the bucket is in \(region)" }
        self.init(
            .refused,
            service: service.name,
            operation: call.operation,
            message: String(message.prefix(Self.messageMax)),
            mayHaveReached: true
        )
        code = type ?? said.code ?? (reply.status == 404 ? "NotFound" : nil)
        if let code, AWSErrorCodes.absent.contains(code), let absence = call.absence {
            self.message += "; \(absence)"
        }
        status = reply.status
        requestID = AWSAnswer.requestID(reply) ?? said.requestID
        answeredAt = HTTPDate.read(reply.header("Date"), now: now)
        let milliseconds = reply.header("x-amz-retry-after").flatMap { Int64($0) }.map { max(0, $0) }
        retryAfter =
            milliseconds.map { .milliseconds(min($0, 600_000)) }
            ?? RetryAfter.wait(reply.header("Retry-After"), now: now)
        self.body = body
    }

    /// What an exchange without an answer means.
    init(_ call: AWSCall, _ service: AWSService, _ failure: HTTPFailure) {
        let kind: Kind =
            switch failure.kind {
            case .cancelled: .cancelled
            case .connectFailed: .unreachable
            case .closed: .noAnswer
            case .timedOut: .timedOut
            case .tlsFailed: .tlsFailed
            case .invalidURL, .invalidRequest: .invalidCall
            case .bodyTooLarge, .invalidAnswer: .invalidAnswer
            }
        self.init(
            kind,
            service: service.name,
            operation: call.operation,
            message: failure.message,
            mayHaveReached: failure.mayHaveReached
        )
    }
}
