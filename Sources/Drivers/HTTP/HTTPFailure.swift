// Why an exchange did not come to its end.
internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// An exchange without an answer, or with only part of one.
package struct HTTPFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case bodyTooLarge
        case cancelled
        /// The connection ended, or was reset, before the answer was complete.
        case closed
        case connectFailed
        case invalidAnswer
        /// A header or body that can't be sent.
        case invalidRequest
        case invalidURL
        case timedOut
        case tlsFailed
    }

    package let kind: Kind
    /// Names method, host and path; holds neither headers nor what stands behind a `?`.
    package let message: String
    /// False when the peer certainly never saw the request; else what became of it is unknown.
    package let mayHaveReached: Bool

    package init(_ kind: Kind, _ message: String, mayHaveReached: Bool) {
        self.kind = kind
        self.message = message
        self.mayHaveReached = mayHaveReached
    }

    package var description: String { message }

    init(_ error: any Error, during call: HTTPCall) {
        if let failure = error as? HTTPFailure {
            self = failure
            return
        }
        let cause = Cause(error)
        self.init(cause.kind, "\(call.place): \(cause.text)", mayHaveReached: cause.mayHaveReached)
    }
}

extension HTTPCall {
    /// Method, host and path; a query may be long, and is nobody's business in a log.
    var place: String {
        "\(method.rawValue) \(url.prefix { $0 != "?" && $0 != "#" })"
    }
}

/// What one of the libraries' errors means.
private struct Cause {
    let kind: HTTPFailure.Kind
    let text: String
    var mayHaveReached = true

    init(_ error: any Error) {
        switch error {
        case let error as HTTPClientError: self = Self.client(error)
        case let error as NIOConnectionError: self = Self.connection(error)
        case let error as IOError: self = Self.system(error)
        case is CancellationError: self.init(.cancelled, "cancelled")
        case HTTPParserError.invalidEOFState:
            self.init(.closed, "the connection was closed before the answer was complete")
        case is HTTPParserError: self.init(.invalidAnswer, "the answer is no HTTP (\(error))")
        case NIOSSLError.uncleanShutdown: self.init(.closed, "the connection was closed before the answer was complete")
        case NIOSSLError.handshakeFailed(let reason):
            self.init(.tlsFailed, "TLS could not be agreed on: \(reason)", mayHaveReached: false)
        case let error as NIOSSLExtraError:
            self.init(.tlsFailed, "TLS could not be agreed on: \(error)", mayHaveReached: false)
        case is NIOSSLError, is BoringSSLError: self.init(.tlsFailed, "TLS failed: \(error)")
        case ChannelError.connectTimeout:
            self.init(.connectFailed, "no connection within the time-out", mayHaveReached: false)
        default: self.init(.closed, "the connection failed: \(error)")
        }
    }

    private init(_ kind: HTTPFailure.Kind, _ text: String, mayHaveReached: Bool = true) {
        self.kind = kind
        self.text = text
        self.mayHaveReached = mayHaveReached
    }

    /// Never by the error's own description: that of a bad header holds the header's value.
    private static func client(_ error: HTTPClientError) -> Cause {
        switch error {
        case .cancelled: Cause(.cancelled, "cancelled")
        case .connectTimeout, .getConnectionFromPoolTimeout:
            Cause(.connectFailed, "no connection within the time-out", mayHaveReached: false)
        case .tlsHandshakeTimeout:
            Cause(.connectFailed, "TLS was not agreed on within the time-out", mayHaveReached: false)
        case .deadlineExceeded: Cause(.timedOut, "no answer within the time-out")
        case .readTimeout: Cause(.timedOut, "the peer fell silent for longer than the stall time-out")
        case .writeTimeout: Cause(.timedOut, "the peer took nothing for longer than the time-out")
        case .remoteConnectionClosed, .uncleanShutdown:
            Cause(.closed, "the connection was closed before the answer was complete")
        case .invalidURL, .emptyHost, .emptyScheme:
            Cause(.invalidURL, "is no URL that can be asked", mayHaveReached: false)
        case .alreadyShutdown: Cause(.cancelled, "the peer was shut down", mayHaveReached: false)
        default:
            switch error.shortDescription {
            case "Unsupported scheme": Cause(.invalidURL, "is neither http nor https", mayHaveReached: false)
            case "Invalid header field names", "Invalid header field values":
                Cause(.invalidRequest, "a header holds bytes that no header may hold", mayHaveReached: false)
            case let text: Cause(.invalidAnswer, text)
            }
        }
    }

    private static func connection(_ error: NIOConnectionError) -> Cause {
        let tries = error.connectionErrors.map { "\($0.error)" }
        let names = [error.dnsAError, error.dnsAAAAError].compactMap { $0.map { "\($0)" } }
        let reasons = tries.isEmpty ? names : tries
        let text = reasons.isEmpty ? "the host has no address" : reasons.joined(separator: "; ")
        return Cause(.connectFailed, "no connection: \(text)", mayHaveReached: false)
    }

    private static func system(_ error: IOError) -> Cause {
        switch error.errnoCode {
        case ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, EHOSTDOWN, ENETDOWN, EMFILE, ENFILE:
            Cause(.connectFailed, "no connection: \(error)", mayHaveReached: false)
        case ETIMEDOUT: Cause(.timedOut, "the connection went dead")
        default: Cause(.closed, "the connection was reset (\(error))")
        }
    }
}
