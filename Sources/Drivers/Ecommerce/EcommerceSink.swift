// Sends chunks to the Ecommerce API, and says what its answers mean for the records.
package import HTTPDriver
package import SluiceCore

/// One index of the Ecommerce API as a destination.
///
/// Idempotent on the record's id. A chunk is one request of at most 100 documents, which the server processes later; the
/// receipt is its job. Copies share their connections.
package struct EcommerceSink: ConfirmingSink {
    let peer: HTTPPeer
    let type: Job.ReindexType
    let clock: any Timekeeping
    private let index: String
    private let base: String
    let listURL: String
    private let key: EcommerceKey?
    private let notice: @Sendable (String) -> Void

    /// The largest answer to a write or about a job: 100 failed items with long errors are far below it.
    static let replyBytesMax = 4 << 20

    /// - Parameters:
    ///   - url: where the API lies.
    ///   - index: the index's name at the server.
    ///   - type: whether documents are replaced (`POST`) or their listed fields changed (`PATCH`).
    ///   - key: nil for a server that asks for none.
    ///   - header: how the key is shown.
    ///   - options: time-outs, connections and TLS; the key is added to them.
    ///   - clock: what a date in `Retry-After` is counted from.
    ///   - notice: told of what the server says about none of our records; for a log.
    /// - Throws: `JobError.field` if the index can't be named in a URL, or if a file of the TLS options can't be used.
    package init(
        url: EcommerceURL,
        index: String,
        type: Job.ReindexType,
        key: EcommerceKey? = nil,
        header: EcommerceKey.Header = .bearer,
        options: HTTPOptions = HTTPOptions(),
        clock: any Timekeeping = WallClock(),
        notice: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(JobError) {
        guard !index.isEmpty, index != ".", index != ".." else {
            throw .field("destination-index", "\"\(index)\" is no index's name")
        }
        var options = options
        options.secretHeader = key?.secret(header)
        do {
            peer = try HTTPPeer(options)
        } catch {
            throw .field("sink", "\(error)")
        }
        self.type = type
        self.index = index
        base = "\(url.base)/indexes/\(EcommerceURL.escaped(index))"
        listURL = "\(url.origin)/stand-in/indexes/\(EcommerceURL.escaped(index))/documents"
        self.key = key
        self.clock = clock
        self.notice = notice
    }

    package func deliver(_ request: DeliveryRequest) async -> DeliveryAnswer {
        let call = HTTPCall(
            type == .post ? .post : .patch,
            "\(base)/documents",
            headers: [("Content-Type", "application/json")],
            body: Self.body(request)
        )
        let reply: HTTPReply
        let body: [UInt8]
        do {
            (reply, body) = try await peer.exchange(call, limit: Self.replyBytesMax)
        } catch {
            return Self.isOurs(error) ? .halted(reason: "\(error)") : .unknown(reason: "\(error)", after: nil)
        }
        guard (200..<300).contains(reply.status) else { return refusal(reply, body) }
        let answer: EcommerceAcceptance
        do {
            answer = try EcommerceAcceptance(body)
        } catch {
            return .unknown(reason: "the server answered \(reply.status), but \(words(error.text))", after: nil)
        }
        switch answer {
        case .job(let id):
            return .accepted(receipt: id)
        case .items(let items):
            let silence = "the server's answer does not mention the record"
            let failures = EcommerceFailures(items, silence: silence)
            return .answered(outcomes(failures, request.positions, request.records))
        }
    }

    /// `{"documents":[…]}` around the records as they are, in one buffer of exactly that size.
    static func body(_ request: DeliveryRequest) -> HTTPBody {
        var count = 16 + max(0, request.positions.count - 1)
        for position in request.positions { count += request.records.record(at: position).count }
        var body = HTTPBody(capacity: count)
        body.append(#"{"documents":["#)
        if request.positions.elementsEqual(0..<request.records.count) {
            appendAll(request.records, to: &body)
        } else {
            for (number, position) in request.positions.enumerated() {
                if number > 0 { body.append(",") }
                request.records.withRecord(at: position) { body.append($0) }
            }
        }
        body.append("]}")
        return body
    }

    /// All records in one copy: they lie line behind line, and each newline between two becomes a comma.
    private static func appendAll(_ records: ChunkRecords, to body: inout HTTPBody) {
        records.withAllLines { lines in body.append(UnsafeRawBufferPointer(rebasing: lines.dropLast())) }
        var end = body.count
        for position in (0..<records.count).dropFirst().reversed() {
            end -= records.record(at: position).count + 1
            body.replace(at: end, with: UInt8(ascii: ","))
        }
    }

    private func refusal(_ reply: HTTPReply, _ body: [UInt8]) -> DeliveryAnswer {
        let reason = reason(reply, body)
        switch EcommerceRefusal(reply.status) {
        case .records: return .refused(reason: reason)
        case .overload: return .overloaded(reason: reason, after: wait(reply))
        // It asks for time and says when it will be back, so nothing was taken.
        case .outage where reply.status == 503 && wait(reply) != nil:
            return .overloaded(reason: reason, after: wait(reply))
        case .outage: return .unknown(reason: reason, after: wait(reply))
        case .key, .missing, .address: return .halted(reason: mending(reply, reason))
        }
    }
}

/// What answers are told apart by, for all calls.
extension EcommerceSink {
    func jobURL(_ id: String) -> String { "\(base)/jobs/\(EcommerceURL.escaped(id))" }
    var readURL: String { "\(base)/get-documents" }

    func report(_ words: String) { notice(words) }

    /// Whether only a change on our side can mend it.
    static func isOurs(_ failure: HTTPFailure) -> Bool {
        switch failure.kind {
        case .invalidRequest, .invalidURL, .tlsFailed: true
        case .bodyTooLarge, .cancelled, .closed, .connectFailed, .invalidAnswer, .timedOut: false
        }
    }

    func wait(_ reply: HTTPReply) -> Duration? {
        RetryAfter.wait(reply.header("Retry-After"), now: clock.now)
    }

    /// The status with the server's own words.
    func reason(_ reply: HTTPReply, _ body: [UInt8]) -> String {
        let said = EcommerceWords.said(in: body)
        return "the server answered \(reply.status)" + (said.map { ": \(words($0))" } ?? "")
    }

    /// What somebody has to do before anything can be delivered.
    func mending(_ reply: HTTPReply, _ reason: String) -> String {
        switch EcommerceRefusal(reply.status) {
        case .key:
            key == nil
                ? "\(reason); no API key is set, and the server wants one"
                : "\(reason); the API key is not valid for index \(index): check the key, and by which header it is sent"
        case .missing: "\(reason); check that the index \(index) exists, and the sink's URL"
        default: "\(reason); check that the sink's URL leads to an Ecommerce API"
        }
    }

    /// A server's words, for a person, without our key.
    func words(_ text: String) -> String {
        key?.redacted(text) ?? text
    }

    /// How each record ended; what failed under an id failed at every position of that id.
    func outcomes(_ failures: EcommerceFailures, _ positions: [Int], _ records: ChunkRecords) -> [RecordOutcome] {
        positions.map { position in
            switch failures.outcome(of: records.id(at: position)) {
            case .completed: .completed
            case .refused(let reason): .refused(reason: words(reason))
            case .retry(let reason): .retry(reason: words(reason))
            }
        }
    }
}
