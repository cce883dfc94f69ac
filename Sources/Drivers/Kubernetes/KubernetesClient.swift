// Sends requests to the API, renews a token once, and gives what came back.
import HTTPDriver
import SluiceCore

/// The conversation with one cluster's API; nothing is retried but a request whose token was not taken.
struct KubernetesClient: Sendable {
    private let access: KubernetesAccess
    private let peer: HTTPPeer
    /// Its answers last for minutes, and are silent in between.
    private let watchPeer: HTTPPeer
    let clock: any Timekeeping

    /// A page of a list with 500 Jobs of a few kilobytes each.
    private static let answerBytesMax = 32 << 20
    private static let refusalBytesMax = 1 << 20
    /// How long the server is asked to keep up a watch.
    static let watchTime: Duration = .seconds(240)
    /// How much longer we wait for its end.
    private static let watchPatience: Duration = .seconds(30)

    /// - Throws: `JobError.field` if the authority can't be used.
    init(_ access: KubernetesAccess, options: HTTPOptions, clock: any Timekeeping) throws(JobError) {
        var options = options
        if let authority = access.authority { options.tls.trustRootsText = authority }
        var watching = options
        watching.answersAreSmall = false
        watching.connectionsPerHost = 2
        watching.stallTimeout = Self.watchTime + Self.watchPatience
        self.access = access
        self.clock = clock
        do {
            peer = try HTTPPeer(options)
            watchPeer = try HTTPPeer(watching)
        } catch {
            throw .field("kubernetes.authority", "\(error)")
        }
    }

    func shutdown() async {
        await peer.shutdown()
        await watchPeer.shutdown()
    }

    /// The answer to a request that was granted.
    ///
    /// - Throws: if it was not, a `PortError` whose cause is the `KubernetesRefusal`.
    func send(_ call: KubernetesCall) async throws(PortError) -> JSONValue {
        var isRenewed = false
        while true {
            let token = try await access.token(isRenewed)
            let reply: HTTPReply
            let body: [UInt8]
            do {
                (reply, body) = try await peer.exchange(
                    call.request(to: access, showing: token),
                    limit: Self.answerBytesMax
                )
            } catch {
                throw failure(error, call)
            }
            if reply.status == 401, !isRenewed {
                isRenewed = true
                continue
            }
            guard (200..<300).contains(reply.status) else { throw refusal(reply, body, call, token) }
            return try parse(body, call)
        }
    }

    /// Hands out what a watch tells, one event after the other, until the server ends it in order.
    ///
    /// Nothing more is read while `onEvent` works.
    ///
    /// - Throws: a `PortError` if it was not granted or broke off, and whatever `onEvent` throws.
    func watch(_ call: KubernetesCall, _ onEvent: (JSONValue) async throws -> Void) async throws {
        var call = call
        call.query.append(("timeoutSeconds", "\(Self.watchTime.components.seconds)"))
        call.timeout = Self.watchTime + Self.watchPatience
        var isRenewed = false
        while true {
            let token = try await access.token(isRenewed)
            var refused: [UInt8] = []
            var lines = WatchLines()
            var problem: (any Error)?
            let reply: HTTPReply
            do {
                reply = try await watchPeer.exchange(call.request(to: access, showing: token)) { reply, bytes in
                    guard reply.status == 200 else {
                        refused += bytes
                        return refused.count > Self.refusalBytesMax ? .enough : .more
                    }
                    do {
                        for line in try lines.take(bytes) { try await onEvent(try parse(line, call)) }
                        return .more
                    } catch {
                        problem = error
                        return .enough
                    }
                }
            } catch {
                throw problem ?? failure(error, call)
            }
            if let problem { throw problem }
            if reply.status == 401, !isRenewed {
                isRenewed = true
                continue
            }
            guard reply.status == 200 else { throw refusal(reply, refused, call, token) }
            return
        }
    }

    private func parse(_ bytes: [UInt8], _ call: KubernetesCall) throws(PortError) -> JSONValue {
        do {
            return try JSONValue.parse(bytes)
        } catch {
            throw PortError(.unavailable, "Kubernetes was to \(call.words), and answered what is no JSON: \(error)")
        }
    }

    private func refusal(
        _ reply: HTTPReply,
        _ body: [UInt8],
        _ call: KubernetesCall,
        _ token: HTTPSecretHeader
    ) -> PortError {
        // An answer without a `Status` is known by its number alone; whoever stands in between sends pages.
        let text = token.removed(from: String(decoding: body.prefix(Self.refusalBytesMax), as: UTF8.self))
        let wait = RetryAfter.wait(reply.header("Retry-After"), now: clock.now)
        return KubernetesRefusal(status: reply.status, body: try? JSONValue.parse(text), retryAfter: wait).portError(
            call
        )
    }

    private func failure(_ failure: HTTPFailure, _ call: KubernetesCall) -> PortError {
        let code: PortError.Code =
            switch failure.kind {
            case .cancelled: .cancelled
            case .timedOut: .timedOut
            case .bodyTooLarge, .closed, .connectFailed, .invalidAnswer: .unavailable
            case .invalidRequest, .invalidURL: .invalidRequest
            // A certificate of another authority stays one.
            case .tlsFailed: failure.mayHaveReached ? .unavailable : .invalidRequest
            }
        return PortError(code, "Kubernetes did not \(call.words): \(failure.message)")
    }
}

/// Cuts a watch into its lines, wherever its pieces end.
struct WatchLines {
    private var rest: [UInt8] = []

    /// An object of the API is a few mebibytes at most.
    private static let lineBytesMax = 8 << 20

    /// The lines that are whole now.
    mutating func take(_ bytes: [UInt8]) throws(PortError) -> [[UInt8]] {
        rest += bytes
        var parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = parts.popLast().map { Array($0) } ?? []
        guard rest.count <= Self.lineBytesMax else {
            throw PortError(.unavailable, "Kubernetes sent an event of over \(Self.lineBytesMax) bytes")
        }
        return parts.filter { !$0.isEmpty }.map { Array($0) }
    }
}
