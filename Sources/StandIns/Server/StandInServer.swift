// Runs one stand-in's HTTP server on the loopback interface.
package import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import ServiceLifecycle

/// A server as a service: `run()` binds, serves, and ends by a graceful stop or by cancellation.
package struct StandInServer<Responder: HTTPResponder>: Service where Responder.Context == StandInContext {
    private let responder: Responder
    private let port: Int
    private let logger: Logger
    private let bound: @Sendable (String) async -> Void

    /// - Parameters:
    ///   - responder: answers the requests; a `Router` gives one by `buildResponder()`.
    ///   - port: 0 for any free one.
    ///   - logger: where the server's own troubles go.
    ///   - bound: told the server's URL, such as `http://127.0.0.1:40001`, once it answers there.
    package init(
        _ responder: Responder,
        port: Int = 0,
        logger: Logger = StandInLog.quiet,
        bound: @escaping @Sendable (String) async -> Void = { _ in }
    ) {
        self.responder = responder
        self.port = port
        self.logger = logger
        self.bound = bound
    }

    package func run() async throws {
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder { OrderlyConnections($0) },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: port), backlog: 1024),
            onServerRunning: { [bound, port] channel in
                await bound("http://127.0.0.1:\(channel.localAddress?.port ?? port)")
            },
            logger: logger
        )
        try await application.run()
    }
}

/// The logs of stand-ins.
package enum StandInLog {
    /// Says errors only: faults on cue are no news.
    package static var quiet: Logger { logger(.error) }

    /// Says nothing of being stopped in the middle, as tests do it.
    static var silent: Logger { logger(.critical) }

    private static func logger(_ level: Logger.Level) -> Logger {
        var logger = Logger(label: "stand-in")
        logger.logLevel = level
        return logger
    }
}

/// Runs a stand-in while the body runs, and stops it before it returns.
///
/// - Throws: what the body throws, or why the server could not run.
package func withServer<Responder: HTTPResponder, Value: Sendable>(
    _ responder: Responder,
    _ body: (_ url: String) async throws -> Value
) async throws -> Value where Responder.Context == StandInContext {
    let (urls, urlsEnd) = AsyncStream<String>.makeStream(bufferingPolicy: .bufferingNewest(1))
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { urlsEnd.finish() }
            try await StandInServer(responder, logger: StandInLog.silent) { urlsEnd.yield($0) }.run()
        }
        var first = urls.makeAsyncIterator()
        guard let url = await first.next() else {
            try await group.waitForAll()
            throw CancellationError()
        }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(url))
        } catch {
            result = .failure(error)
        }
        group.cancelAll()
        // How a cancelled server ends is no finding.
        while await group.nextResult() != nil {}
        return try result.get()
    }
}
