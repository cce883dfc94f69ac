// Connections that end in order, even those that a stopped server had accepted and not got round to.
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// HTTP/1.1 as Hummingbird speaks it, over connections that may be dropped.
struct OrderlyConnections: ServerChildChannel {
    private let http: HTTP1Channel

    init(_ responder: @escaping HTTPChannelHandler.Responder) {
        http = HTTP1Channel(responder: responder)
    }

    /// A connection, to be handled or dropped.
    final class Connection: ServerChildChannelValue {
        private let http: HTTP1Channel.Value
        private let isTaken = Mutex(false)

        var channel: any Channel { http.channel }

        init(_ http: HTTP1Channel.Value) {
            self.http = http
        }

        func take() -> HTTP1Channel.Value {
            isTaken.withLock { $0 = true }
            return http
        }

        /// NIO ends the process of whoever drops a connection without closing it, and a server that is cancelled does so.
        deinit {
            guard !isTaken.withLock({ $0 }) else { return }
            let http = http
            Task {
                // How it closes is no finding: the other side may be gone already.
                try? await http.executeThenClose { _, _ in }
            }
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        http.setup(channel: channel, logger: logger).map { Connection($0) }
    }

    func handle(value: Connection, logger: Logger) async {
        await http.handle(value: value.take(), logger: logger)
    }
}
