// A server that behaves as the path of each request tells it to, well or badly.
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Listens on a free port of the loopback; `stop()` ends it.
final class ScriptedServer: Sendable {
    private let channel: any Channel
    private let counts: Counts
    let url: String

    final class Counts: Sendable {
        let connections = Mutex(0)
        let closed: EventLoopPromise<Void>

        init(_ closed: EventLoopPromise<Void>) {
            self.closed = closed
        }
    }

    init(tls: TLSConfiguration? = nil) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let counts = Counts(group.next().makePromise())
        let context = try tls.map { try NIOSSLContext(configuration: $0) }
        channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let context { try pipeline.addHandler(NIOSSLServerHandler(context: context)) }
                    try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
                    try pipeline.addHandler(ScriptedHandler(counts))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.counts = counts
        url = "\(tls == nil ? "http" : "https")://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    var connections: Int { counts.connections.withLock { $0 } }

    /// Returns once a connection has come to its end.
    func waitForClosedConnection() async throws {
        try await counts.closed.futureResult.get()
    }

    func stop() async throws {
        try await channel.close()
        counts.closed.succeed()
    }
}

private final class ScriptedHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let counts: ScriptedServer.Counts
    private var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
    private var body = ByteBuffer()

    init(_ counts: ScriptedServer.Counts) {
        self.counts = counts
    }

    func channelActive(context: ChannelHandlerContext) {
        counts.connections.withLock { $0 += 1 }
    }

    func channelInactive(context: ChannelHandlerContext) {
        counts.closed.succeed()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end: answer(context)
        }
    }

    private func answer(_ context: ChannelHandlerContext) {
        switch head.uri.split(separator: "?")[0] {
        case "/echo": send(context, whole("200 OK", echo))
        case "/silent": break
        case "/stall": send(context, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
        case "/trickle":
            send(context, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            trickle(context, count: 1000)
        case "/cut":
            send(context, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
            context.close(promise: nil)
        case "/reset":
            send(context, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
            reset(context)
        case "/garbage": send(context, "what is it you want?\r\n\r\n")
        case "/redirect": send(context, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n")
        case "/busy": send(context, "HTTP/1.1 429 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy")
        case "/large": send(context, whole("200 OK", String(repeating: "x", count: 3_000_000)))
        case "/unannounced":
            let chunk = "10000\r\n\(String(repeating: "x", count: 0x10000))\r\n"
            let chunks = String(repeating: chunk, count: 16)
            send(context, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(chunks)0\r\n\r\n")
        default: send(context, whole("404 Not Found", ""))
        }
    }

    private var echo: String {
        let headers = head.headers.map { "\($0.name): \($0.value)" }.sorted().joined(separator: "\n")
        return "\(head.method.rawValue) \(head.uri)\n\(headers)\n\n\(String(buffer: body))"
    }

    private func whole(_ status: String, _ body: String) -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func send(_ context: ChannelHandlerContext, _ text: String) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
    }

    private func trickle(_ context: ChannelHandlerContext, count: Int) {
        guard count > 0, context.channel.isActive else { return }
        send(context, "x")
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(5)) {
            self.trickle(context, count: count - 1)
        }
    }

    /// Without waiting for what was sent to be taken: the peer sees a reset.
    private func reset(_ context: ChannelHandlerContext) {
        let socket = context.channel as? any SocketOptionProvider
        socket?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }
}
