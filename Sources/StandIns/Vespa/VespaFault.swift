// What a visit can meet, by the contract of document/v1.

/// One thing that goes wrong, or only looks like it.
package enum VespaFault: NamedFault {
    case connection(ConnectionFault)
    /// Answers with a status, a message, and perhaps `Retry-After`.
    case status(Int, retryAfter: String? = nil)
    /// After so many buckets the visit fails: 200 with a message and a continuation.
    case message(afterBuckets: Int)
    /// 200 with a message and no continuation.
    case messageAlone
    /// No document, and a continuation that leads on.
    case emptyPage
    /// The page ends after one bucket, however many documents were wanted.
    case shortPage
    /// The page ends only after so many buckets, however few documents were wanted.
    case longPage(buckets: Int)
    /// The continuation is the one that was asked with.
    case sameToken
    /// Every continuation stands twice in the answer.
    case repeatedToken
    /// After so many buckets the body ends, in order, in the middle of a document.
    case halfLine(afterBuckets: Int)
    /// After so many buckets and some documents the body ends, in order, without the continuation.
    case noLastContinuation(afterBuckets: Int)
    /// After so many buckets the answer says that it is at the end, though it is not.
    case unfinished(afterBuckets: Int)
    /// After so many buckets a line is no JSON.
    case badLine(afterBuckets: Int)
    /// Lines that are no documents: removes and statistics.
    case remarks
    /// A whole JSON answer, although JSON Lines were asked for.
    case asJSON

    package var name: String {
        switch self {
        case .connection(let fault): fault.name
        case .status(let status, _): "status \(status)"
        case .message: "message"
        case .messageAlone: "message alone"
        case .emptyPage: "empty page"
        case .shortPage: "short page"
        case .longPage: "long page"
        case .sameToken: "same token"
        case .repeatedToken: "repeated token"
        case .halfLine: "half a line"
        case .noLastContinuation: "no last continuation"
        case .unfinished: "unfinished"
        case .badLine: "bad line"
        case .remarks: "remarks"
        case .asJSON: "as JSON"
        }
    }
}

/// The kinds of requests, as they are counted and given faults.
package enum VespaRequest: String, Sendable, Hashable {
    case visit
    /// Anything else that was asked.
    case other
}
