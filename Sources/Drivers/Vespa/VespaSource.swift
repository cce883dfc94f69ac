// The documents of one Vespa schema, visited slice by slice.
package import HTTPDriver
package import SluiceCore
import Synchronization

/// Visits over document/v1, one request a page.
///
/// - A record is the raw bytes of one document: `{"put":"id:…","fields":{…}}` from a server that streams JSON Lines, else
///   `{"id":"id:…","fields":{…}}` from within its JSON answer. What is wrong inside of one is left to the transform.
/// - Vespa keeps its progress by buckets: a page ends between buckets, so that it is larger or smaller than wanted, and a visit
///   that is taken up again repeats documents of the bucket it was in. Visits are no snapshot and have no order.
/// - Continuations belong to the number of slices; the engine keeps that fixed. They survive a move of the endpoint.
package final class VespaSource: RecordSource {
    private struct State {
        /// Whether the server knows JSON Lines, once it has answered.
        var speaksLines: Bool?
        /// How large documents have lately been.
        var meanBytes: Double?

        /// How many documents to ask for, so that a page of large ones is not over what is wanted in bytes.
        func wanted(by request: PageRequest) -> Int {
            guard let meanBytes, meanBytes > 0 else { return max(1, request.recordsWanted) }
            let fitting = Double(request.bytesWanted) / meanBytes
            return max(1, min(request.recordsWanted, Int(min(fitting, 1e9))))
        }

        /// Half of the mean comes from the latest page.
        mutating func note(_ page: SourcePage) {
            guard let last = page.records.last else { return }
            let mean = Double(last.range.upperBound) / Double(page.records.count)
            meanBytes = meanBytes.map { ($0 + mean) / 2 } ?? mean
        }
    }

    private let visit: Visit
    private let peer: HTTPPeer
    private let grace: Duration
    private let clock: any Timekeeping
    private let state = Mutex(State())

    /// No job has more.
    private static let slicesMax = 256

    /// How long `describe()` lets the server look for a first document, in seconds.
    private static let describeTimeout = 10

    /// Opens no connection yet, but reads the certificates.
    ///
    /// - Parameters:
    ///   - url: What to visit, and where.
    ///   - index: What the schema is named after, unless the URL names one.
    ///   - options: Connections, TLS and headers; its time-outs are set here, from the URL's.
    ///   - grace: How much longer than the server we wait for its answer.
    ///   - clock: What a date in `Retry-After` is counted from.
    /// - Throws: `.tlsFailed` naming the file that can't be used.
    package init(
        _ url: VespaURL,
        index: String,
        options: HTTPOptions = HTTPOptions(),
        grace: Duration = .seconds(15),
        clock: any Timekeeping = WallClock()
    ) throws(HTTPFailure) {
        var options = options
        options.requestTimeout = .seconds(url.timeout) + grace
        // A server that streams nothing may be silent for all of its time.
        options.stallTimeout = options.requestTimeout
        // A page is a megabyte or more, and there are few connections.
        options.readBytes = 256 << 10
        options.answersAreSmall = false
        // Slices never wait for each other's connections; how many there are is the job's to say.
        options.connectionsPerHost = max(options.connectionsPerHost, Self.slicesMax)
        visit = Visit(url, index: index)
        peer = try HTTPPeer(options)
        self.grace = grace
        self.clock = clock
    }

    /// Asks for one document, so that a wrong host, schema or selection is found out before there is a job.
    package func describe() async throws(SourceError) -> SourceDescription {
        let request = PageRequest(slice: 0, slices: 1, continuation: nil, recordsWanted: 1)
        var reader = VisitReader(request)
        let timeout = min(visit.url.timeout, Self.describeTimeout)
        let call = visit.call(request, wanted: 1, asLines: true, timeout: timeout, grace: grace)
        do throws(SourceError) {
            try await look(call, &reader)
        } catch {
            throw error.at(visit.place)
        }
        state.withLock { $0.speaksLines = reader.form == .lines }
        return SourceDescription(fingerprint: visit.fingerprint)
    }

    package func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) {
        precondition(
            (0..<request.slices).contains(request.slice),
            "slice \(request.slice) of \(request.slices) does not exist"
        )
        page.reset()
        // At once, and a quarter for what a bucket is over: growing would leave as much behind as the page has.
        page.bytes.reserveCapacity(request.bytesWanted / 4 * 5)
        var reader = VisitReader(request)
        let (wanted, asLines) = state.withLock { ($0.wanted(by: request), $0.speaksLines ?? true) }
        let call = visit.call(request, wanted: wanted, asLines: asLines, timeout: visit.url.timeout, grace: grace)
        do throws(SourceError) {
            try await read(call, &reader, into: &page)
        } catch {
            page.reset()
            if reader.isTooLarge { try askForLess(than: wanted, PageLimits(request)) }
            throw error.at(visit.place)
        }
        page.fractionRead = reader.lines.percentFinished.map { min(1, max(0, $0 / 100)) }
        state.withLock { state in
            state.speaksLines = reader.form == .lines
            state.note(page)
        }
    }

    /// Nil for each: a document's id says where it is.
    package func locate(_ positions: [Int64]) async -> [String?] {
        positions.map { _ in nil }
    }

    private func look(_ call: HTTPCall, _ reader: inout VisitReader) async throws(SourceError) {
        var page = SourcePage()
        let reply: HTTPReply
        do throws(HTTPFailure) {
            reply = try await peer.exchange(call) { reply, bytes in
                // The first line shows that the visit goes; any other answer is taken whole, for its message.
                let flow = reader.take(reply, bytes, into: &page)
                return reader.form == .lines && bytes.contains(UInt8(ascii: "\n")) ? .enough : flow
            }
        } catch {
            throw SourceError(error)
        }
        if reader.form != .lines {
            try reader.finish(&page, reply, schema: visit.schema, now: clock.now)
        } else if let complaint = reader.lines.complaint {
            throw complaint
        }
    }

    private func read(
        _ call: HTTPCall,
        _ reader: inout VisitReader,
        into page: inout SourcePage
    ) async throws(SourceError) {
        let reply: HTTPReply
        do throws(HTTPFailure) {
            reply = try await peer.exchange(call) { reply, bytes in reader.take(reply, bytes, into: &page) }
        } catch {
            return try reader.finish(&page, error)
        }
        try reader.finish(&page, reply, schema: visit.schema, now: clock.now)
    }

    /// Notes that a whole answer of so many documents did not fit.
    private func askForLess(than wanted: Int, _ limits: PageLimits) throws(SourceError) {
        guard wanted > 1 else {
            let problem = "an answer of one wanted document is over \(limits.bodyBytesMax) bytes; a bucket is too large"
            throw SourceError.stopped(problem).at(visit.place)
        }
        state.withLock { $0.meanBytes = Double(limits.bodyBytesMax) / Double(wanted) }
    }
}
