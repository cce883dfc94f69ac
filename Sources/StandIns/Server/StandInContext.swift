// What a stand-in knows of a request beyond HTTP: the connection it came on.
package import Hummingbird
package import NIOCore

/// The context of a request, with the channel so that a fault can break it.
package struct StandInContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    package let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
