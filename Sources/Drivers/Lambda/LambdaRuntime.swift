// Takes invocations from the Runtime API one after the other, and hands in what becomes of them.
import HTTPDriver
import SluiceCore

/// A client of the Lambda Runtime API, version 2018-06-01.
///
/// The platform freezes the process between an answer and the next invocation. An invocation whose answer could not be
/// handed in counts as failed, and its event comes again by the rules of whoever sent it.
package final class LambdaRuntime: Sendable {
    private let base: String
    private let peer: HTTPPeer

    /// The platform may be silent until there is something to do, for hours.
    private static let patience: Duration = .seconds(14 * 86_400)
    /// How long the platform may take to accept what is handed in.
    private static let answerTimeout: Duration = .seconds(30)
    /// Events have 6 MiB at most.
    private static let eventBytesMax = 16 << 20

    /// Opens no connection yet.
    ///
    /// - Parameter address: host and port, as `AWS_LAMBDA_RUNTIME_API` has them.
    /// - Throws: `LambdaFailure` if it is none.
    package init(address: String) throws(LambdaFailure) {
        guard !address.isEmpty, !address.contains("/") else {
            throw LambdaFailure("Sluice.NoRuntime", "AWS_LAMBDA_RUNTIME_API is \"\(address)\"; it must be host:port")
        }
        base = "http://\(address)/2018-06-01/runtime"
        var options = HTTPOptions()
        options.requestTimeout = Self.patience
        options.stallTimeout = Self.patience
        // One waits for the next invocation while nothing else is asked.
        options.connectionsPerHost = 2
        do {
            peer = try HTTPPeer(options)
        } catch {
            throw LambdaFailure("Sluice.NoRuntime", "\(error)")
        }
    }

    /// Handles invocations until the task is cancelled.
    ///
    /// - Parameter handle: makes an answer of an invocation, which is JSON; what it throws is the function's failure.
    /// - Throws: `LambdaFailure` if the Runtime API can't be understood or does not answer: the process has to end.
    package func run(_ handle: (LambdaInvocation) async throws -> [UInt8]) async throws(LambdaFailure) {
        while let invocation = try await next() {
            let path = "/invocation/\(invocation.requestID)"
            do {
                let answer = try await handle(invocation)
                try await post("\(path)/response", answer)
            } catch let failure as LambdaFailure {
                guard failure.type != Self.lost else { throw failure }
                try await fail("\(path)/error", failure)
            } catch {
                try await fail("\(path)/error", LambdaFailure("Sluice.Failure", "\(error)"))
            }
        }
    }

    /// Says that the function can't be started; the process should end then.
    package func failStart(_ failure: LambdaFailure) async throws(LambdaFailure) {
        try await fail("/init/error", failure)
    }

    package func shutdown() async {
        await peer.shutdown()
    }

    private static let lost = "Sluice.RuntimeLost"

    /// Waits for the next invocation; nil when the task is cancelled.
    private func next() async throws(LambdaFailure) -> LambdaInvocation? {
        let reply: HTTPReply
        let body: [UInt8]
        do {
            (reply, body) = try await peer.exchange(
                HTTPCall(.get, base + "/invocation/next"),
                limit: Self.eventBytesMax
            )
        } catch {
            guard error.kind != .cancelled else { return nil }
            throw LambdaFailure(Self.lost, "\(error)")
        }
        guard reply.status == 200 else {
            throw LambdaFailure(Self.lost, "the next invocation was answered with status \(reply.status)")
        }
        guard let id = reply.header("Lambda-Runtime-Aws-Request-Id"), !id.isEmpty,
            let deadline = reply.header("Lambda-Runtime-Deadline-Ms").flatMap({ Int64($0) })
        else {
            throw LambdaFailure(Self.lost, "an invocation came without its request id or deadline")
        }
        return LambdaInvocation(
            requestID: id,
            deadline: Timestamp(milliseconds: deadline),
            functionARN: reply.header("Lambda-Runtime-Invoked-Function-Arn"),
            traceID: reply.header("Lambda-Runtime-Trace-Id"),
            event: body
        )
    }

    private func fail(_ path: String, _ failure: LambdaFailure) async throws(LambdaFailure) {
        try await post(path, failure.bytes, type: failure.type)
    }

    private func post(_ path: String, _ body: [UInt8], type: String? = nil) async throws(LambdaFailure) {
        var call = HTTPCall(.post, base + path, body: HTTPBody(body), timeout: Self.answerTimeout)
        call.headers.append(("Content-Type", "application/json"))
        if let type { call.headers.append(("Lambda-Runtime-Function-Error-Type", type)) }
        let reply: HTTPReply
        let text: [UInt8]
        do {
            (reply, text) = try await peer.exchange(call, limit: 1 << 20)
        } catch {
            throw LambdaFailure(Self.lost, "\(error)")
        }
        // An answer that is too large, or came too late, is the function's failure; the platform has noted it as such.
        guard (200..<300).contains(reply.status) || [400, 403, 413].contains(reply.status) else {
            let said = String(decoding: text.prefix(500), as: UTF8.self)
            throw LambdaFailure(Self.lost, "\(path) was answered with status \(reply.status): \(said)")
        }
    }
}
