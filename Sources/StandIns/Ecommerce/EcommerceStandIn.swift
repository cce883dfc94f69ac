// Answers the calls of the Ecommerce API.
import HTTPTypes
package import Hummingbird
import NIOCore
package import SluiceCore
import Synchronization

/// The stand-in: run it with `StandInServer` or `withServer`, look into it while it runs.
///
/// The API lies under `/api/v1`, what the stand-in says of itself under `/stand-in`.
package final class EcommerceStandIn: HTTPResponder {
    package typealias Context = StandInContext

    /// Which requests go wrong.
    package let faults: RequestFaults<EcommerceRequestKind, EcommerceFault>
    let clock: any Timekeeping
    let world: Mutex<EcommerceWorld>

    static let base = "/api/v1"

    package init(
        _ options: EcommerceOptions = EcommerceOptions(),
        faults: RequestFaults<EcommerceRequestKind, EcommerceFault> = RequestFaults(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) {
        self.faults = faults
        self.clock = clock
        world = Mutex(EcommerceWorld(options: options, run: random.hexadecimal(8)))
    }

    package func respond(to request: Request, context: StandInContext) async throws -> Response {
        let route = EcommerceRoute(request, base: Self.base)
        if let answer = try await control(route, request) { return answer }
        do throws(EcommerceRefusal) {
            try world.withLock { world throws(EcommerceRefusal) in try world.enter(clock.now) }
        } catch {
            return refused(error, route.kind)
        }
        defer { world.withLock { $0.leave() } }
        let latency = options.latency
        if latency > .zero { try await clock.sleep(until: clock.now.advanced(by: latency), tolerance: nil) }
        return try await respond(to: request, route, fault: faults.strike(route.kind), context)
    }

    private func respond(
        to request: Request,
        _ route: EcommerceRoute,
        fault: EcommerceFault?,
        _ context: StandInContext
    ) async throws -> Response {
        let kind = route.kind
        switch fault {
        case .before(let broken):
            // What is broken before anything is done is answered as if nobody were here.
            note(kind, 0)
            return try await context.answer(Response(status: .serviceUnavailable), with: broken, clock: clock)
        case .status(let status, let message, let retryAfter):
            _ = try await request.bytes(upTo: options.bodyBytesMax)
            return refused(EcommerceRefusal(status, message, retryAfter: retryAfter), kind)
        case .unreadable(let text):
            _ = try await answer(route, request, fault: nil)
            note(kind, 200)
            return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        case .after(let broken):
            let response = try await answer(route, request, fault: nil)
            note(kind, 0)
            return try await context.answer(response, with: broken, clock: clock)
        case .job, .says, nil:
            let response = try await answer(route, request, fault: fault)
            note(kind, response.status.code)
            return response
        }
    }

    private func answer(_ route: EcommerceRoute, _ request: Request, fault: EcommerceFault?) async throws -> Response {
        do {
            try authorize(request)
            switch route {
            case .documents(let index, let isUpdate):
                var jobFault: EcommerceJobFault?
                if case .job(let fault)? = fault { jobFault = fault }
                return try await write(request, index, isUpdate: isUpdate, jobFault)
            case .read(let index):
                return try await read(request, index)
            case .job(let index, let id):
                var status: String?
                if case .says(let text)? = fault { status = text }
                return try job(id, of: index, saying: status)
            case .stats, .listing, .capacity, .unknown:
                throw EcommerceRefusal(404, "no such call")
            }
        } catch let refusal as EcommerceRefusal {
            return Self.refusal(refusal, now: clock.now)
        }
    }

    private func authorize(_ request: Request) throws(EcommerceRefusal) {
        guard let key = options.key else { return }
        let bearer = request.headers[.authorization].map { $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : $0 }
        guard let given = bearer ?? request.headers[Self.keyHeader] else {
            throw EcommerceRefusal(401, "Missing API key or index ID header")
        }
        guard given == key else { throw EcommerceRefusal(403, "the API key is not valid for this index") }
    }

    private func write(
        _ request: Request,
        _ index: String,
        isUpdate: Bool,
        _ fault: EcommerceJobFault?
    ) async throws -> Response {
        try world.withLock { world throws(EcommerceRefusal) in try world.check(index) }
        let changes = try EcommerceChange.split(try await body(of: request))
        let options = options
        let now = clock.now
        let (job, isFinal) = try world.withLock { world throws(EcommerceRefusal) in
            try world.accept(changes, index: index, isUpdate: isUpdate, fault: fault, now: now)
        }
        if isFinal { return Self.json(200, EcommerceJSON.items(changes, job.failures)) }
        return Self.json(options.acceptedStatus, EcommerceJSON.accepted(job, options))
    }

    private func job(_ id: String, of index: String, saying status: String?) throws(EcommerceRefusal) -> Response {
        let now = clock.now
        let (job, options) = try world.withLock { world throws(EcommerceRefusal) in
            try world.check(index)
            return (world.job(id, of: index, now: now), world.options)
        }
        guard let job else { throw EcommerceRefusal(404, "no such job") }
        return Self.json(200, EcommerceJSON.job(job, options, now: now, saying: status))
    }

    private func read(_ request: Request, _ index: String) async throws -> Response {
        let body = try await body(of: request)
        let listed = (try? JSONValue.parse(Array(body.readableBytesView)))?["documentIds"]?.arrayValue
        guard let ids = listed?.compactMap(\.stringValue), ids.count == listed?.count else {
            throw EcommerceRefusal(400, "documentIds must be a list of strings")
        }
        guard ids.count <= 100 else { throw EcommerceRefusal(400, "over 100 ids in one request") }
        let now = clock.now
        let found = try world.withLock { world throws(EcommerceRefusal) in
            try world.check(index)
            guard world.options.holding != .counts else {
                throw EcommerceRefusal(501, "this stand-in keeps counts only; nothing can be read back")
            }
            world.processDue(now)
            return ids.map { world.held(Array($0.utf8), in: index) }
        }
        return Self.json(200, EcommerceJSON.found(ids, found))
    }

    private func body(of request: Request) async throws -> ByteBuffer {
        let limit = options.bodyBytesMax
        guard let body = try await request.bytes(upTo: limit) else {
            throw EcommerceRefusal(413, "the body is over \(limit) bytes")
        }
        return body
    }

    private func refused(_ refusal: EcommerceRefusal, _ kind: EcommerceRequestKind) -> Response {
        note(kind, refusal.status)
        return Self.refusal(refusal, now: clock.now)
    }

    private func note(_ kind: EcommerceRequestKind, _ status: Int) {
        world.withLock { $0.stats.note(kind, status) }
    }
}

/// What tests and commands see of it from inside.
extension EcommerceStandIn {
    package var options: EcommerceOptions { world.withLock { $0.options } }
    package var stats: EcommerceStats { world.withLock { $0.stats } }

    /// Changes how the stand-in behaves from the next request on.
    package func change(_ body: (inout EcommerceOptions) -> Void) {
        world.withLock { body(&$0.options) }
    }

    /// Documents in an index; with `Holding.counts` how many were taken.
    package func count(in index: String) -> Int {
        world.withLock { $0.count(in: index) }
    }

    /// One document's bytes, if they are held.
    package func document(_ id: String, in index: String) -> [UInt8]? {
        guard case .document(let bytes)? = world.withLock({ $0.held(Array(id.utf8), in: index) }) else { return nil }
        return bytes
    }
    /// Puts a document into an index as if it had been there before.
    package func put(_ document: String, as id: String, in index: String) {
        let change = EcommerceChange(id: Array(id.utf8), document: Array(document.utf8))
        world.withLock { $0.put(change, in: index) }
    }
}
