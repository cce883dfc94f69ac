// Why a call to AWS did not do what it should, and what became of it.
package import SluiceCore

/// A call that failed, after all its tries.
package struct AWSError: Error, Sendable, Equatable {
    package enum Kind: String, Sendable {
        case cancelled
        /// There are no usable credentials; nothing was sent.
        case credentials
        /// What was asked for can't be sent as it is.
        case invalidCall
        /// An answer came that makes no sense, or is too large.
        case invalidAnswer
        /// The connection broke before the answer was complete.
        case noAnswer
        /// The service answered that it won't, or can't.
        case refused
        case timedOut
        /// TLS could not be agreed on, or its certificate is not to be trusted.
        case tlsFailed
        /// No connection came about; the service certainly never saw the call.
        case unreachable
    }

    package var kind: Kind
    /// Such as `DynamoDB`.
    package var service: String
    /// Such as `UpdateItem`.
    package var operation: String
    /// The service's own name for the error.
    package var code: String?
    /// For a person; holds no secret.
    package var message: String
    package var status: Int?
    /// What AWS's support asks for.
    package var requestID: String?
    /// How long the service asks us to wait.
    package var retryAfter: Duration?
    /// The service's clock when it answered.
    package var answeredAt: Timestamp?
    /// How often the call was sent, or was to be sent.
    package var tries = 1
    /// Whether an earlier try may have taken effect although this last one did not.
    package var earlierOutcomeUnknown = false
    /// Whether what keeps us from credentials may pass by itself.
    package var mayPass = false
    /// False if the request was certainly not seen.
    package var mayHaveReached: Bool
    /// The body of the answer, for what a single service says in it beyond code and message; it is not printed.
    package var body: [UInt8] = []

    package init(
        _ kind: Kind,
        service: String,
        operation: String,
        message: String,
        mayHaveReached: Bool = false
    ) {
        self.kind = kind
        self.service = service
        self.operation = operation
        self.message = message
        self.mayHaveReached = mayHaveReached
    }
}

extension AWSError {
    /// Whether the service asks for fewer calls.
    package var isThrottling: Bool {
        guard kind == .refused else { return false }
        return status == 429 || code.map { AWSErrorCodes.throttling.contains($0) } ?? false
    }

    /// Whether it may pass by itself.
    package var isTransient: Bool {
        switch kind {
        case .noAnswer, .timedOut, .unreachable: return true
        case .refused:
            if let code, AWSErrorCodes.transient.contains(code) { return true }
            return [500, 502, 503, 504].contains(status)
        case .credentials: return mayPass
        case .cancelled, .invalidCall, .invalidAnswer, .tlsFailed: return false
        }
    }

    package var isRetryable: Bool { isThrottling || isTransient }

    /// Whether this last try may have taken effect.
    package var lastOutcomeUnknown: Bool {
        switch kind {
        case .noAnswer, .timedOut, .cancelled, .invalidAnswer: mayHaveReached
        case .refused:
            !isThrottling && ((status ?? 0) >= 500 || status == 200)
                || code.map { AWSErrorCodes.unfinished.contains($0) } ?? false
        case .credentials, .invalidCall, .tlsFailed, .unreachable: false
        }
    }

    /// Whether the call may have taken effect although it failed.
    package var outcomeUnknown: Bool { lastOutcomeUnknown || earlierOutcomeUnknown }

    /// The error as a port throws it.
    ///
    /// What a port promises to have written nothing is only said if no earlier try may have written.
    package var portError: PortError {
        let code = portCode
        let isPromise = !PortError(code, "").outcomeUnknown
        return PortError(isPromise && outcomeUnknown ? .unavailable : code, description)
    }

    private var portCode: PortError.Code {
        switch kind {
        case .cancelled: .cancelled
        case .credentials: mayPass ? .unavailable : .unauthorized
        case .invalidCall, .tlsFailed: .invalidRequest
        case .noAnswer, .unreachable, .invalidAnswer: .unavailable
        case .timedOut: .timedOut
        case .refused: isThrottling ? .throttled : code.flatMap { AWSErrorCodes.ports[$0] } ?? portCodeOfStatus
        }
    }

    private var portCodeOfStatus: PortError.Code {
        if isTransient { return .unavailable }
        return switch status ?? 0 {
        case 401, 403: .unauthorized
        case 404: .notFound
        case 409: .conflict
        case 412: .conditionFailed
        case 500...: .unavailable
        default: .invalidRequest
        }
    }
}

extension AWSError: CustomStringConvertible {
    package var description: String {
        var text = "\(service) \(operation): "
        if kind == .refused {
            text += [code, status.map { "status \($0)" }].compactMap { $0 }.joined(separator: ", ") + ": "
        }
        text += message
        if let hint = code.flatMap({ AWSErrorCodes.hints[$0] }) { text += "; \(hint)" }
        if let requestID { text += " (request \(requestID))" }
        if tries > 1 { text += ", after \(tries) tries" }
        return text
    }
}
