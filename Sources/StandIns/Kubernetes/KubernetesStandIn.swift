// Answers the calls of the Kubernetes API about Jobs.
import HTTPTypes
package import Hummingbird
import NIOCore
package import SluiceCore
import Synchronization

/// The stand-in: run it with `StandInServer` or `withServer`, look into it while it runs.
///
/// It checks what it is sent as strictly as the API does where our Jobs are concerned, keeps versions and a history, and
/// tells watches from any version that it has not forgotten. It stands in for a conversation, not for a cluster: nothing
/// runs unless a `KubernetesKubelet` is run beside it.
package final class KubernetesStandIn: HTTPResponder {
    package typealias Context = StandInContext

    package typealias Faults = RequestFaults<KubernetesRequestKind, KubernetesFault>

    /// Which requests go wrong.
    package let faults: Faults
    let clock: any Timekeeping
    let store = Mutex(KubernetesStore())
    private let accepts: @Sendable (String?) -> Bool
    private let namespaces: Set<String>?

    private static let bodyBytesMax = 3 << 20

    /// - Parameters:
    ///   - namespaces: those that there are; nil for any.
    ///   - faults: what goes wrong.
    ///   - clock: what watches run out by.
    ///   - accepts: whether a bearer token is taken, nil if a request came without; asked for every request.
    package init(
        namespaces: Set<String>? = nil,
        faults: Faults = Faults(),
        clock: any Timekeeping = WallClock(),
        accepts: @escaping @Sendable (_ token: String?) -> Bool = { _ in true }
    ) {
        self.namespaces = namespaces
        self.faults = faults
        self.clock = clock
        self.accepts = accepts
    }

    package func respond(to request: Request, context: StandInContext) async throws -> Response {
        let route = KubernetesRoute(request)
        let fault = faults.strike(route.kind)
        switch fault {
        case .before(let broken):
            return try await context.answer(Response(status: .serviceUnavailable), with: broken, clock: clock)
        case .status(let code, let reason, let message, let retryAfter):
            _ = try await request.bytes(upTo: Self.bodyBytesMax)
            var status = KubernetesStatus(code, for: route.kind.rawValue, namespace: route.namespace)
            status.reason = reason ?? status.reason
            status.message = message ?? status.message
            status.retryAfter = retryAfter
            return status.response
        case .page(let code, let text):
            _ = try await request.bytes(upTo: Self.bodyBytesMax)
            return Response(status: .init(code: code), body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case .after(let broken):
            let response = try await answer(route, request, context, watchEnd: nil)
            return try await context.answer(response, with: broken, clock: clock)
        case .watchEnds(let end, let events):
            return try await answer(route, request, context, watchEnd: (end, events))
        case nil:
            return try await answer(route, request, context, watchEnd: nil)
        }
    }

    private func answer(
        _ route: KubernetesRoute,
        _ request: Request,
        _ context: StandInContext,
        watchEnd: (KubernetesFault.WatchEnd, Int)?
    ) async throws -> Response {
        do {
            try authenticate(request)
            switch route.kind {
            case .create: return try await create(route, request)
            case .get:
                return Self.json(200, try store.withLock { store throws(KubernetesStatus) in try store.job(route.key) })
            case .list: return Self.json(200, try list(route))
            case .watch: return try watch(route, context, end: watchEnd)
            case .delete: return Self.json(200, try delete(route))
            case .other:
                throw KubernetesStatus(404, "NotFound", "the server could not find the requested resource")
            }
        } catch let status as KubernetesStatus {
            return status.response
        }
    }

    private func authenticate(_ request: Request) throws(KubernetesStatus) {
        let header = request.headers[.authorization]
        let token = header.flatMap { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil }
        guard accepts(token) else { throw KubernetesStatus(401, "Unauthorized", "Unauthorized") }
    }

    private func create(_ route: KubernetesRoute, _ request: Request) async throws -> Response {
        guard let body = try await request.bytes(upTo: Self.bodyBytesMax) else {
            throw KubernetesStatus(413, "RequestEntityTooLarge", "limit is \(Self.bodyBytesMax)")
        }
        if let namespaces, !namespaces.contains(route.namespace) {
            throw KubernetesStatus(404, "NotFound", #"namespaces "\#(route.namespace)" not found"#)
        }
        guard let sent = try? JSONValue.parse(Array(body.readableBytesView)) else {
            throw KubernetesStatus(400, "BadRequest", "the object provided is unrecognized: it is no JSON")
        }
        let (job, dropped) = try KubernetesShape.job(sent, isStrict: route["fieldValidation"] == "Strict")
        let name = try KubernetesRules.check(job, namespace: route.namespace)
        let key = KubernetesStore.Key(namespace: route.namespace, name: name)
        let now = clock.now
        let created = try store.withLock { store throws(KubernetesStatus) in
            try store.create(job, at: key, now: now)
        }
        var response = Self.json(201, created)
        if let field = dropped.first, let warning = HTTPField.Name("Warning") {
            response.headers[warning] = #"299 - "unknown field \"\#(field)\"""#
        }
        return response
    }

    private func list(_ route: KubernetesRoute) throws(KubernetesStatus) -> JSONValue {
        let selector = try KubernetesSelector(route["labelSelector"])
        let limit = try route.number("limit")
        return try store.withLock { store throws(KubernetesStatus) in
            try store.list(route.namespace, selector, limit: limit, from: route["continue"])
        }
    }

    private func delete(_ route: KubernetesRoute) throws(KubernetesStatus) -> JSONValue {
        guard let job = store.withLock({ $0.remove(route.key) }) else { throw .absent(route.name) }
        return job
    }

    static func json(_ status: Int, _ body: JSONValue) -> Response {
        Response(
            status: HTTPResponse.Status(code: status),
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body.bytes()))
        )
    }
}

extension KubernetesRoute {
    var key: KubernetesStore.Key { KubernetesStore.Key(namespace: namespace, name: name) }
}

/// What tests see of it, and do to it, from inside.
extension KubernetesStandIn {
    /// All Jobs of a namespace, by name.
    package func jobs(in namespace: String) -> [JSONValue] {
        store.withLock { $0.jobs.filter { $0.key.namespace == namespace }.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Somebody changes a Job's status.
    package func setStatus(_ name: String, in namespace: String, _ status: JSONObject) {
        let key = KubernetesStore.Key(namespace: namespace, name: name)
        store.withLock { store in
            guard let uid = store.jobs[key]?["metadata"]?["uid"]?.stringValue else { return }
            store.update(key, uid: uid) { $0 = status }
        }
    }

    /// The Job ends with a condition: `Complete`, or `Failed` with a reason.
    package func end(_ name: String, in namespace: String, _ type: String, reason: String = "", message: String = "") {
        let condition: JSONValue = [
            "type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message),
        ]
        setStatus(name, in: namespace, ["conditions": [condition]])
    }

    /// Somebody removes a Job.
    package func remove(_ name: String, in namespace: String) {
        store.withLock { _ = $0.remove(KubernetesStore.Key(namespace: namespace, name: name)) }
    }

    /// Everybody who watches is told how far they are.
    package func bookmark() {
        store.withLock { $0.bookmark() }
    }

    /// What happened until now can't be told again.
    package func compact() {
        store.withLock { $0.compact() }
    }

    /// Somebody else puts a Job there, whatever it is like.
    package func put(_ job: JSONValue, in namespace: String) {
        guard let object = job.objectValue, let name = job["metadata"]?["name"]?.stringValue else { return }
        let key = KubernetesStore.Key(namespace: namespace, name: name)
        let now = clock.now
        // One that is there already stays.
        store.withLock { _ = try? $0.create(object, at: key, now: now) }
    }

    /// How many watch, or wait here for something.
    package var watcherCount: Int { store.withLock { $0.bellCount } }

    /// Returns once something is as wanted, which is looked at whenever something has happened here.
    ///
    /// - Throws: `CancellationError` when the caller is cancelled.
    package func wait(until isAsWanted: () -> Bool) async throws {
        let (bell, rings) = store.withLock { $0.addBell() }
        defer { store.withLock { $0.removeBell(bell) } }
        for await _ in rings where isAsWanted() { return }
        throw CancellationError()
    }
}
