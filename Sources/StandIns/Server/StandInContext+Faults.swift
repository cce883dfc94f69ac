// Breaks the connection of a request as a fault asks for.
package import Hummingbird
import NIOCore
package import SluiceCore

#if canImport(Glibc)
    import Glibc
#endif

extension StandInContext {
    /// The answer with the fault in it; for faults that leave no answer, whatever is returned reaches nobody.
    ///
    /// - Throws: `CancellationError` if the server stops meanwhile; what the connection throws.
    package func answer(
        _ response: Response,
        with fault: ConnectionFault,
        clock: any Timekeeping
    ) async throws -> Response {
        switch fault {
        case .reset:
            try await reset()
        case .hangUp:
            try await channel.close()
        case .cut(let bytes):
            return cutting(response, after: bytes) { try await channel.close() }
        case .resetAfter(let bytes):
            return cutting(response, after: bytes) { try await reset() }
        case .stall(let duration?):
            try await clock.sleep(until: clock.now.advanced(by: duration), tolerance: nil)
        case .stall(nil):
            try await waitForClose()
        case .raw(let bytes):
            try await channel.eventLoop.flatSubmit { [channel] in
                channel.pipeline.addHandler(RawAnswer(bytes), position: .first)
            }.get()
            try await channel.close()
        }
        return response
    }

    /// Resets the connection: whoever is on the other side reads an error, not an end.
    func reset() async throws {
        if let socket = channel as? any SocketOptionProvider {
            try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close()
    }

    /// Returns when the other side has closed the connection, or the server stops.
    private func waitForClose() async throws {
        // Else the other side's end is only the end of its requests, and the connection stays half open.
        try await channel.setOption(.allowRemoteHalfClosure, value: false).get()
        try await withTaskCancellationHandler {
            try await channel.closeFuture.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    private func cutting(
        _ response: Response,
        after bytes: Int,
        _ end: @escaping @Sendable () async throws -> Void
    ) -> Response {
        var cut = response
        let body = response.body
        // The head still announces the whole length, if it is known.
        cut.body = ResponseBody(contentLength: body.contentLength) { writer in
            do {
                try await body.write(CuttingWriter(parent: writer, left: bytes))
            } catch is CutShort {}
            try await end()
        }
        return cut
    }
}

/// Says that a body has been cut.
private struct CutShort: Error {}

/// Lets so many bytes through and never the end of the body.
private struct CuttingWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    var left: Int

    @concurrent
    mutating func write(_ buffer: ByteBuffer) async throws {
        let part = buffer.getSlice(at: buffer.readerIndex, length: min(left, buffer.readableBytes))
        left -= buffer.readableBytes
        if let part, part.readableBytes > 0 { try await parent.write(part) }
        if left <= 0 { throw CutShort() }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        throw CutShort()
    }
}

/// Writes bytes below HTTP as soon as it stands in the pipeline.
private final class RawAnswer: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }
}
