// Tells what happens to Jobs, for as long as it is asked to.
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import SluiceCore
import Synchronization

extension KubernetesStandIn {
    private static let timeMax = 3600

    /// The events behind a version, and then whatever happens, until its time is over, the other side or the server goes.
    func watch(
        _ route: KubernetesRoute,
        _ context: StandInContext,
        end: (KubernetesFault.WatchEnd, Int)?
    ) throws(KubernetesStatus) -> Response {
        let selector = try KubernetesSelector(route["labelSelector"])
        let version = try route.number("resourceVersion") ?? 0
        let time = min(try route.number("timeoutSeconds") ?? Self.timeMax, Self.timeMax)
        let place = try store.withLock { store throws(KubernetesStatus) in
            try version == 0 ? store.end : store.place(after: version)
        }
        let watch = KubernetesWatch(
            namespace: route.namespace,
            selector: selector,
            wantsBookmarks: route["allowWatchBookmarks"] == "true",
            end: end?.0,
            eventsBeforeEnd: end?.1 ?? .max
        )
        let body = ResponseBody { [self] writer in
            let isWhole = try await tell(watch, from: place, for: .seconds(time), context, &writer)
            if isWhole { try await writer.finish(nil) }
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// - Returns: whether the answer may end in order.
    @concurrent
    private func tell(
        _ watch: KubernetesWatch,
        from place: Int,
        for time: Duration,
        _ context: StandInContext,
        _ writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        let (bell, rings) = store.withLock { $0.addBell() }
        defer { store.withLock { $0.removeBell(bell) } }
        // Else the other side's end is only the end of its requests, and nobody would notice that it has gone.
        try await context.channel.setOption(.allowRemoteHalfClosure, value: false).get()
        context.channel.closeFuture.whenComplete { [weak self] _ in self?.store.withLock { $0.removeBell(bell) } }
        async let _ = endRings(bell, after: time)
        async let _ = endRingsAtShutdown(bell)
        return try await tell(watch, from: place, on: rings, context, &writer)
    }

    private func endRings(_ bell: Int, after time: Duration) async {
        // Cut short when the watch has ended.
        try? await clock.sleep(until: clock.now.advanced(by: time), tolerance: nil)
        store.withLock { $0.removeBell(bell) }
    }

    private func endRingsAtShutdown(_ bell: Int) async {
        try? await gracefulShutdown()
        store.withLock { $0.removeBell(bell) }
    }

    @concurrent
    private func tell(
        _ watch: KubernetesWatch,
        from place: Int,
        on rings: AsyncStream<Void>,
        _ context: StandInContext,
        _ writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        var place = place
        var watch = watch
        for await _ in rings {
            guard let (events, next) = store.withLock({ store in store.events(from: place).map { ($0, store.end) } })
            else {
                try await write(Self.gone.json, as: "ERROR", &writer)
                return true
            }
            place = next
            for event in events where watch.isConcerned(by: event) {
                if watch.eventsBeforeEnd == 0 { return try await end(watch, event, context, &writer) }
                watch.eventsBeforeEnd -= 1
                try await writer.write(ByteBuffer(bytes: event.line.bytes() + [UInt8(ascii: "\n")]))
            }
            if watch.eventsBeforeEnd == 0, watch.end != .halfLine {
                return try await end(watch, nil, context, &writer)
            }
        }
        return true
    }

    private static var gone: KubernetesStatus { KubernetesStatus(410, for: "watch", namespace: "") }

    @concurrent
    private func write(_ object: JSONValue, as type: String, _ writer: inout any ResponseBodyWriter) async throws {
        let line: JSONValue = ["type": .string(type), "object": object]
        try await writer.write(ByteBuffer(bytes: line.bytes() + [UInt8(ascii: "\n")]))
    }

    /// - Returns: whether the answer may end in order.
    @concurrent
    private func end(
        _ watch: KubernetesWatch,
        _ next: KubernetesStore.Event?,
        _ context: StandInContext,
        _ writer: inout any ResponseBodyWriter
    ) async throws -> Bool {
        switch watch.end {
        case .inOrder, nil:
            return true
        case .gone:
            try await write(Self.gone.json, as: "ERROR", &writer)
            return true
        case .error:
            try await write(KubernetesStatus(500, for: "watch", namespace: "").json, as: "ERROR", &writer)
            return true
        case .nonsense:
            try await writer.write(ByteBuffer(string: "<html>\n"))
            return true
        case .halfLine:
            let line = next?.line.bytes() ?? []
            try await writer.write(ByteBuffer(bytes: line.prefix(line.count / 2)))
            try await context.channel.close()
        case .hangUp:
            try await context.channel.close()
        case .reset:
            try await context.reset()
        }
        return false
    }
}

/// What one watch wants to be told, and how it ends.
struct KubernetesWatch: Sendable {
    let namespace: String
    let selector: KubernetesSelector
    let wantsBookmarks: Bool
    let end: KubernetesFault.WatchEnd?
    var eventsBeforeEnd: Int

    func isConcerned(by event: KubernetesStore.Event) -> Bool {
        if event.type == "BOOKMARK" { return wantsBookmarks }
        return event.object["metadata"]?["namespace"]?.stringValue == namespace
            && selector.chooses(KubernetesStore.labels(of: event.object))
    }
}
