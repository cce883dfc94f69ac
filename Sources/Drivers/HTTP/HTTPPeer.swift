// One peer and the connections kept open to it.
internal import AsyncHTTPClient
internal import Dispatch
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// HTTP/1.1 with one peer, over connections that are kept and shared by all tasks.
///
/// Redirects are not followed: an answer that sends us elsewhere is given as it is. Nothing is retried. All peers share the
/// process's event loops.
package final class HTTPPeer: Sendable {
    private let client: HTTPClient
    private let executor: LoopExecutor?
    private let options: HTTPOptions
    private let isShutDown = Mutex(false)

    /// Opens no connection yet, but reads the certificates.
    ///
    /// - Throws: `.tlsFailed` naming the file that can't be used.
    package init(_ options: HTTPOptions = HTTPOptions()) throws(HTTPFailure) {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try TLSConfiguration(options.tls),
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(options.connectTimeout), read: TimeAmount(options.stallTimeout))
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = options.connectionsPerHost
        // A refused connection is told at once; when to try again is for the engine to say.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.flatSubmit {
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FlushConsolidationHandler(), position: .first)
                }
                .flatMap {
                    let allocator = FixedSizeRecvByteBufferAllocator(capacity: options.readBytes)
                    return channel.setOption(.recvAllocator, value: allocator)
                }
            }
        }
        // Nobody here collects spans, and making them for nobody costs a share of every request.
        configuration.tracing.tracer = nil
        self.options = options
        let loops = MultiThreadedEventLoopGroup.singleton
        let loop = options.answersAreSmall ? loops.next() : nil
        executor = loop.map { LoopExecutor($0) }
        client = HTTPClient(eventLoopGroupProvider: .shared(loop ?? loops), configuration: configuration)
    }

    /// Whoever forgot to shut down has no call under way; only idle connections are left to close.
    deinit {
        guard !isShutDown.withLock({ $0 }) else { return }
        client.shutdown(queue: .global()) { _ in }
    }

    /// Closes all connections; calls under way fail, later ones too.
    ///
    /// The second time it does nothing.
    package func shutdown() async {
        let isFirst = isShutDown.withLock { isShutDown in
            defer { isShutDown = true }
            return !isShutDown
        }
        guard isFirst else { return }
        // It can only fail by having been called before.
        try? await client.shutdown()
    }

    /// Sends a request and hands out the answer's body as it arrives.
    ///
    /// - Parameters:
    ///   - call: The request.
    ///   - onBytes: Told of every piece of the body, which is only good during the call, and of the head before it. With
    ///     `.enough` the exchange ends well, and its connection is closed.
    /// - Returns: The answer's head, after the body's last byte or after `.enough`.
    /// - Throws: What `onBytes` throws, and why the answer did not come to its end.
    @discardableResult
    package func exchange(
        _ call: HTTPCall,
        onBytes: (HTTPReply, UnsafeRawBufferPointer) throws(HTTPFailure) -> HTTPFlow
    ) async throws(HTTPFailure) -> HTTPReply {
        guard let executor else { return try await exchangeHere(call, onBytes: onBytes) }
        return try await withTaskExecutorPreference(executor) { () async throws(HTTPFailure) in
            try await exchangeHere(call, onBytes: onBytes)
        }
    }

    private func exchangeHere(
        _ call: HTTPCall,
        onBytes: (HTTPReply, UnsafeRawBufferPointer) throws(HTTPFailure) -> HTTPFlow
    ) async throws(HTTPFailure) -> HTTPReply {
        do {
            let deadline = NIODeadline.now() + TimeAmount(call.timeout ?? options.requestTimeout)
            let response = try await client.execute(request(for: call), deadline: deadline)
            let reply = HTTPReply(status: Int(response.status.code), fields: response.headers)
            for try await chunk in response.body {
                guard NIODeadline.now() < deadline else { throw HTTPClientError.deadlineExceeded }
                let flow = try chunk.withUnsafeReadableBytes { try onBytes(reply, $0) }
                if case .enough = flow { return reply }
            }
            // A cancelled body may look like one that has ended.
            guard !Task.isCancelled else { throw CancellationError() }
            return reply
        } catch {
            throw HTTPFailure(error, during: call)
        }
    }

    /// Sends a request and hands out the answer's body as it arrives, to somebody who may take their time.
    ///
    /// Nothing more is taken from the connection meanwhile. It works on Swift's threads, whoever the peer is.
    ///
    /// - Parameters:
    ///   - call: The request; its time-out is for the whole body.
    ///   - onPart: Told of every piece of the body, and of the head before it. With `.enough` the exchange ends well, and its
    ///     connection is closed.
    /// - Returns: The answer's head, after the body's last byte or after `.enough`.
    /// - Throws: Why the answer did not come to its end.
    @discardableResult
    package func exchange(
        _ call: HTTPCall,
        onPart: (HTTPReply, [UInt8]) async -> HTTPFlow
    ) async throws(HTTPFailure) -> HTTPReply {
        do {
            let deadline = NIODeadline.now() + TimeAmount(call.timeout ?? options.requestTimeout)
            let response = try await client.execute(request(for: call), deadline: deadline)
            let reply = HTTPReply(status: Int(response.status.code), fields: response.headers)
            for try await chunk in response.body {
                guard NIODeadline.now() < deadline else { throw HTTPClientError.deadlineExceeded }
                if case .enough = await onPart(reply, Array(chunk.readableBytesView)) { return reply }
            }
            guard !Task.isCancelled else { throw CancellationError() }
            return reply
        } catch {
            throw HTTPFailure(error, during: call)
        }
    }

    /// Sends a request and appends the answer's body to `buffer`.
    ///
    /// - Throws: `.bodyTooLarge` as soon as the body is known to be over `limit` bytes. What had arrived stays in the buffer.
    package func exchange(
        _ call: HTTPCall,
        appendingTo buffer: inout [UInt8],
        limit: Int
    ) async throws(HTTPFailure) -> HTTPReply {
        let start = buffer.count
        return try await exchange(call) { reply, bytes throws(HTTPFailure) in
            let length = max(buffer.count - start + bytes.count, reply.announcedLength ?? 0)
            guard length <= limit else {
                let problem = "\(call.place): the answer is over \(limit) bytes"
                throw HTTPFailure(.bodyTooLarge, problem, mayHaveReached: true)
            }
            buffer.append(contentsOf: bytes)
            return .more
        }
    }

    /// Sends a request and gives head and body of the answer.
    ///
    /// - Throws: `.bodyTooLarge` as soon as the body is known to be over `limit` bytes.
    package func exchange(
        _ call: HTTPCall,
        limit: Int
    ) async throws(HTTPFailure) -> (reply: HTTPReply, body: [UInt8]) {
        var body: [UInt8] = []
        let reply = try await exchange(call, appendingTo: &body, limit: limit)
        return (reply, body)
    }

    private func request(for call: HTTPCall) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: call.url)
        request.method = HTTPMethod(rawValue: call.method.rawValue)
        for header in options.headers + call.headers { request.headers.add(name: header.name, value: header.value) }
        if let secret = call.secretHeader ?? options.secretHeader {
            request.headers.add(name: secret.name, value: secret.value)
        }
        if let body = call.body { request.body = .bytes(body.buffer) }
        return request
    }
}

extension TimeAmount {
    /// Durations too long to count count as two centuries.
    fileprivate init(_ duration: Duration) {
        let seconds = min(duration.components.seconds, 200 * 366 * 86_400)
        self = .nanoseconds(seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }
}

extension TLSConfiguration {
    /// Verification is full, always.
    fileprivate init(_ options: HTTPOptions.TLS) throws(HTTPFailure) {
        self = .makeClientConfiguration()
        var roots: [NIOSSLCertificate] = []
        if let file = options.trustRootsFile {
            roots += try Self.read("trust roots", file) { try NIOSSLCertificate.fromPEMFile($0) }
        }
        if let text = options.trustRootsText {
            let certificates = try Self.read("trust roots", "the given text") { _ in
                try NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
            }
            guard !certificates.isEmpty else {
                throw HTTPFailure(.tlsFailed, "the text of the trust roots holds no certificate", mayHaveReached: false)
            }
            roots += certificates
        }
        if options.trustRootsFile != nil || options.trustRootsText != nil { trustRoots = .certificates(roots) }
        guard (options.certificateFile == nil) == (options.keyFile == nil) else {
            let problem = "a client certificate needs both its certificate file and its key file"
            throw HTTPFailure(.tlsFailed, problem, mayHaveReached: false)
        }
        if let file = options.certificateFile {
            let chain = try Self.read("certificate", file) { try NIOSSLCertificate.fromPEMFile($0) }
            certificateChain = chain.map { .certificate($0) }
        }
        if let file = options.keyFile {
            privateKey = .privateKey(try Self.read("key", file) { try NIOSSLPrivateKey(file: $0, format: .pem) })
        }
    }

    private static func read<Part>(
        _ what: String,
        _ file: String,
        _ read: (String) throws -> Part
    ) throws(HTTPFailure) -> Part {
        do {
            return try read(file)
        } catch {
            let problem = "the \(what) in \(file) can't be used; it has to be readable PEM (\(error))"
            throw HTTPFailure(.tlsFailed, problem, mayHaveReached: false)
        }
    }
}
