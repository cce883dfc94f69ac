// Flushes of one turn of the event loop become one, and none is lost.
import NIOCore
import NIOEmbedded
import Testing

@testable import HTTPDriver

@Suite("Flushes")
struct FlushConsolidationTests {
    private let channel = EmbeddedChannel()
    private let counter = FlushCounter()

    init() throws {
        try channel.pipeline.syncOperations.addHandlers([counter, FlushConsolidationHandler()])
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    private func write(_ text: String) {
        channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
    }

    private var written: [String] {
        get throws {
            var texts: [String] = []
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { texts.append(String(buffer: buffer)) }
            return texts
        }
    }

    @Test("a head and its body leave together, at the end of the turn")
    func together() throws {
        for text in ["head", "body"] { write(text) }
        #expect(counter.flushes == 0)
        channel.embeddedEventLoop.run()
        #expect(counter.flushes == 1)
        #expect(try written == ["head", "body"])
    }

    @Test("each turn has its own")
    func turns() throws {
        for text in ["one", "two"] {
            write(text)
            channel.embeddedEventLoop.run()
            #expect(try written == [text])
        }
        #expect(counter.flushes == 2)
    }

    @Test("what is written before a close leaves before it")
    func closing() throws {
        write("last")
        let closed = channel.close()
        #expect(try written == ["last"])
        channel.embeddedEventLoop.run()
        try closed.wait()
        #expect(counter.flushes == 1, "a channel that has ended was flushed")
    }
}

private final class FlushCounter: ChannelOutboundHandler {
    typealias OutboundIn = Any
    typealias OutboundOut = Any

    private(set) var flushes = 0

    func flush(context: ChannelHandlerContext) {
        flushes += 1
        context.flush()
    }
}
