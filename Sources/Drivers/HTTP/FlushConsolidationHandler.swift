// Lets what is written in one turn of an event loop leave in one piece.
import NIOCore

/// Puts flushes off to the end of the event loop's turn, so that a request's head and body share one write to the socket.
///
/// The client flushes a head before its body, which may come much later; ours is at hand, and the flush makes a packet of
/// its own that wakes the peer for nothing.
final class FlushConsolidationHandler: ChannelOutboundHandler {
    typealias OutboundIn = Any
    typealias OutboundOut = Any

    private var isDue = false

    func flush(context: ChannelHandlerContext) {
        guard !isDue else { return }
        isDue = true
        let loop = context.eventLoop
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: loop)
        loop.execute { bound.value.handler.flushNow(bound.value.context) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        flushNow(context)
        context.close(mode: mode, promise: promise)
    }

    /// A channel that has ended has nowhere to flush to.
    func handlerRemoved(context: ChannelHandlerContext) {
        isDue = false
    }

    private func flushNow(_ context: ChannelHandlerContext) {
        guard isDue else { return }
        isDue = false
        context.flush()
    }
}
