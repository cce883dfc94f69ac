// The answer to one request for a page, in whatever form it comes.
import HTTPDriver
import SluiceCore

/// Takes an answer as it arrives, and makes a page of it.
struct VisitReader {
    enum Form { case lines, whole, refusal }

    private let request: PageRequest
    private let limits: PageLimits
    private(set) var form: Form?
    private(set) var lines: VisitLines
    private(set) var isTooLarge = false

    init(_ request: PageRequest) {
        self.request = request
        limits = PageLimits(request)
        lines = VisitLines(request)
    }

    mutating func take(
        _ reply: HTTPReply,
        _ bytes: UnsafeRawBufferPointer,
        into page: inout SourcePage
    ) -> HTTPFlow {
        let form = form ?? Self.form(of: reply)
        self.form = form
        switch form {
        case .lines:
            return lines.take(bytes, into: &page) ? .more : .enough
        case .whole:
            page.bytes.append(contentsOf: bytes)
            isTooLarge = page.bytes.count > limits.bodyBytesMax
            return isTooLarge ? .enough : .more
        case .refusal:
            page.bytes.append(contentsOf: bytes.prefix(VisitRefusal.bodyBytesMax - page.bytes.count))
            return page.bytes.count < VisitRefusal.bodyBytesMax ? .more : .enough
        }
    }

    /// Makes the page after an answer that came to its end.
    mutating func finish(
        _ page: inout SourcePage,
        _ reply: HTTPReply,
        schema: String,
        now: Timestamp
    ) throws(SourceError) {
        form = Self.form(of: reply)
        switch Self.form(of: reply) {
        case .lines: try lines.finish(&page, failure: nil)
        case .whole:
            guard !isTooLarge else { throw .transient("the answer is over \(limits.bodyBytesMax) bytes") }
            try VisitDocument.read(request, into: &page)
        case .refusal:
            throw VisitRefusal(reply, body: page.bytes, now: now).error(schema: schema)
        }
    }

    /// Makes a page of what had come before the answer broke off, if that counts.
    mutating func finish(_ page: inout SourcePage, _ failure: HTTPFailure) throws(SourceError) {
        guard form == .lines, failure.kind != .cancelled else { throw SourceError(failure) }
        try lines.finish(&page, failure: SourceError(failure))
    }

    private static func form(of reply: HTTPReply) -> Form {
        guard reply.status == 200 else { return .refusal }
        let type = reply.header("Content-Type")?.lowercased() ?? ""
        return type.hasPrefix("application/jsonl") ? .lines : .whole
    }
}

extension SourceError {
    /// What a failed exchange means for a job: nobody mends a URL or a certificate by trying again.
    init(_ failure: HTTPFailure) {
        switch failure.kind {
        case .invalidURL, .invalidRequest, .tlsFailed: self = .stopped(failure.message)
        case .bodyTooLarge, .cancelled, .closed, .connectFailed, .invalidAnswer, .timedOut:
            self = .transient(failure.message)
        }
    }

    /// The same with words before its reason.
    func at(_ place: String) -> SourceError {
        switch self {
        case .transient(let reason, let after): .transient("\(place): \(reason)", after: after)
        case .stopped(let reason): .stopped("\(place): \(reason)")
        case .changed(let reason): .changed("\(place): \(reason)")
        }
    }
}
