// The one error that crosses a port, whatever driver is behind it.

/// What went wrong at a port: a code to act on, a message to read, a cause to keep.
public struct PortError: Error, CustomStringConvertible {
    @nonexhaustive
    public enum Code: String, Sendable, CaseIterable {
        /// The caller was cancelled; whether the call took effect is unknown.
        case cancelled
        /// A condition did not hold; nothing was written. `failedActions` says which.
        case conditionFailed
        /// Another writer was in the way; nothing was written; try again.
        case conflict
        /// The request can never succeed as it is; nothing was written.
        case invalidRequest
        /// The named thing does not exist; nothing was written.
        case notFound
        /// No room left on the device; nothing was written.
        case outOfSpace
        /// Too many requests; nothing was written; try again later.
        case throttled
        /// No answer in time; whether the call took effect is unknown.
        case timedOut
        /// Credentials or file permissions forbid it; nothing was written.
        case unauthorized
        /// The other side is not there or broke off; whether the call took effect is unknown.
        case unavailable
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?
    /// Which actions of a transaction had a condition that failed, by position.
    public let failedActions: [Int]

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil, failedActions: [Int] = []) {
        self.code = code
        self.message = message
        self.cause = cause
        self.failedActions = failedActions
    }

    /// Whether the call may have taken effect although it failed.
    public var outcomeUnknown: Bool {
        switch code {
        case .cancelled, .timedOut, .unavailable: true
        case .conditionFailed, .conflict, .invalidRequest, .notFound, .outOfSpace, .throttled, .unauthorized: false
        }
    }

    /// Whether the same call may succeed later.
    public var isRetryable: Bool {
        switch code {
        case .conflict, .throttled, .timedOut, .unavailable: true
        case .cancelled, .conditionFailed, .invalidRequest, .notFound, .outOfSpace, .unauthorized: false
        }
    }

    public var description: String {
        if let cause { "\(message) (\(cause))" } else { message }
    }
}
