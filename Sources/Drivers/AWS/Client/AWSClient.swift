// Calls one service: signs, sends, tries again, and says what became of it.
package import HTTPDriver
package import SluiceCore
internal import Synchronization

/// One service in one region, for many tasks.
///
/// What all calls share is the budget of retries, the credentials, and what the service's clock is ahead of ours.
package final class AWSClient: Sendable {
    package let service: AWSService
    package let endpoint: AWSEndpoint
    package let signer: AWSSigner
    let credentials: RenewingCredentials
    let clock: any Timekeeping
    private let peer: HTTPPeer
    let policy: RetryPolicy
    let random: any RandomSource
    private let tokens = RetryTokens()
    private let skew = Mutex(Duration.zero)

    /// Signatures are good for 5 minutes at least; below this difference they failed for another reason.
    static let skewMin: Duration = .seconds(240)

    /// - Parameters:
    ///   - service: which.
    ///   - region: where.
    ///   - endpoint: its address.
    ///   - credentials: who asks.
    ///   - peer: the connections, which may be shared with other clients.
    ///   - policy: how often to try.
    ///   - clock: the time of signatures, and of waiting.
    ///   - random: the jitter of waiting.
    package init(
        _ service: AWSService,
        region: String,
        endpoint: AWSEndpoint,
        credentials: RenewingCredentials,
        peer: HTTPPeer,
        policy: RetryPolicy = RetryPolicy(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) {
        self.service = service
        self.endpoint = endpoint
        self.credentials = credentials
        self.peer = peer
        self.policy = policy
        self.clock = clock
        self.random = random
        signer = AWSSigner(service: service.id, region: region)
    }

    /// By the service's clock, as far as it is known.
    var now: Timestamp { clock.now.advanced(by: skew.withLock { $0 }) }

    /// What may still be spent on retries.
    var retryTokensLeft: Int { tokens.count }

    /// Makes a call, and gives the whole body of its answer.
    ///
    /// - Throws: after the last try; a body over `bodyMax` bytes is `.invalidAnswer`.
    package func send(_ call: AWSCall, bodyMax: Int = 16 << 20) async throws(AWSError) -> AWSAnswer {
        var body: [UInt8] = []
        var filledBy = 0
        let reply = try await run(call, isRestartable: true) { number, _, bytes throws(HTTPFailure) in
            if filledBy != number { body.removeAll(keepingCapacity: true) }
            filledBy = number
            guard body.count + bytes.count <= bodyMax else {
                throw HTTPFailure(.bodyTooLarge, "the answer is over \(bodyMax) bytes", mayHaveReached: true)
            }
            body.append(contentsOf: bytes)
            return .more
        }
        return AWSAnswer(reply: reply, body: filledBy == 0 ? [] : body)
    }

    /// Makes a call, and hands out the body of its answer as it arrives.
    ///
    /// It is tried again until the first bytes were handed out; from then on a broken connection is the caller's to mend.
    package func stream(
        _ call: AWSCall,
        onBytes: (HTTPReply, UnsafeRawBufferPointer) throws(HTTPFailure) -> HTTPFlow
    ) async throws(AWSError) -> HTTPReply {
        try await run(call, isRestartable: false) { _, reply, bytes throws(HTTPFailure) in try onBytes(reply, bytes) }
    }

    private typealias Receiver = (_ number: Int, HTTPReply, UnsafeRawBufferPointer) throws(HTTPFailure) -> HTTPFlow

    private func run(_ call: AWSCall, isRestartable: Bool, _ receive: Receiver) async throws(AWSError) -> HTTPReply {
        var course = RetryCourse(triesMax: call.tries ?? policy.triesMax)
        while true {
            var credentials: AWSCredentials?
            if call.isSigned {
                do {
                    credentials = try await currentCredentials(call)
                } catch {
                    throw course.noting(error)
                }
            }
            let skew = skew.withLock { $0 }
            course.begin()
            var wasHandedOut = false
            let outcome = await attempt(call, credentials, skew) { reply, bytes throws(HTTPFailure) in
                wasHandedOut = true
                return try receive(course.tries, reply, bytes)
            }
            switch outcome {
            case .success(let reply):
                tokens.giveBack(course.cost)
                return reply
            case .failure(let error):
                let error = course.noting(error)
                if wasHandedOut && !isRestartable { throw error }
                try await recover(from: error, call, credentials, skew, &course)
            }
        }
    }

    /// Returns if the call is to be tried again now.
    private func recover(
        from error: AWSError,
        _ call: AWSCall,
        _ used: AWSCredentials?,
        _ skew: Duration,
        _ course: inout RetryCourse
    ) async throws(AWSError) {
        if let used, let code = error.code {
            if !course.didRenew, AWSErrorCodes.expired.contains(code) {
                course.didRenew = true
                credentials.expire(used)
                return
            }
            if !course.didCorrectClock, AWSErrorCodes.skewed.contains(code), corrects(error, skew) {
                course.didCorrectClock = true
                return
            }
        }
        guard call.isRepeatable || !error.outcomeUnknown else { throw error }
        guard error.isRetryable, course.mayTryAgain, let cost = tokens.spend(for: error) else { throw error }
        course.cost = cost
        let wait = policy.wait(after: course.tries, asked: error.retryAfter, random: random)
        do {
            try await clock.sleep(until: clock.now.advanced(by: wait), tolerance: nil)
        } catch {
            throw course.cancelled(call, service)
        }
    }

    /// Takes over the service's clock if ours is too far from it to sign.
    private func corrects(_ error: AWSError, _ used: Duration) -> Bool {
        guard let answeredAt = error.answeredAt else { return false }
        let ahead = clock.now.duration(to: answeredAt)
        guard max(ahead - used, used - ahead) >= Self.skewMin else { return false }
        skew.withLock { $0 = ahead }
        return true
    }

    private func attempt(
        _ call: AWSCall,
        _ credentials: AWSCredentials?,
        _ skew: Duration,
        _ receive: (HTTPReply, UnsafeRawBufferPointer) throws(HTTPFailure) -> HTTPFlow
    ) async -> Result<HTTPReply, AWSError> {
        let request = request(call, credentials, at: clock.now.advanced(by: skew))
        var errorBody: [UInt8] = []
        do throws(HTTPFailure) {
            let reply = try await peer.exchange(request) { reply, bytes throws(HTTPFailure) in
                let isFine = (200..<300).contains(reply.status)
                if isFine, !call.mayFailInside { return try receive(reply, bytes) }
                errorBody.append(contentsOf: bytes.prefix(call.errorBodyMax - errorBody.count))
                if isFine { return try receive(reply, bytes) }
                return errorBody.count < call.errorBodyMax ? .more : .enough
            }
            let failedInside = call.mayFailInside && AWSErrorBody.isError(errorBody)
            if (200..<300).contains(reply.status), !failedInside { return .success(reply) }
            // Services repeat what they can't make sense of, a signature among it.
            let signature = request.headers.last { $0.name == "Authorization" }?.value.split(separator: "=").last
            let secrets = (credentials?.secrets ?? []) + call.secrets + (signature.map { [Secret(String($0))] } ?? [])
            return .failure(AWSError(call, service, reply, errorBody, now: clock.now, secrets: secrets))
        } catch {
            return .failure(AWSError(call, service, error))
        }
    }

    func signable(_ call: AWSCall) -> SignableRequest {
        SignableRequest(
            call.method.rawValue,
            host: call.hostPrefix + endpoint.authority,
            path: endpoint.basePath + call.path,
            query: call.query,
            headers: call.headers
        )
    }

    private func request(_ call: AWSCall, _ credentials: AWSCredentials?, at moment: Timestamp) -> HTTPCall {
        let signable = signable(call)
        var headers = call.headers
        if let credentials {
            let isUnsigned = call.payload == .unsigned && endpoint.isEncrypted
            let payload = isUnsigned ? .unsigned : call.body?.withBytes { AWSSigner.Payload.signed($0) } ?? .none
            headers += signer.sign(signable, payload: payload, credentials: credentials, at: moment).headers
        }
        let query = signable.canonicalQuery
        let url = "\(endpoint.scheme)://\(signable.host)\(signable.path)" + (query.isEmpty ? "" : "?\(query)")
        return HTTPCall(call.method, url, headers: headers, body: call.body, timeout: call.timeout)
    }

    func currentCredentials(_ call: AWSCall) async throws(AWSError) -> AWSCredentials {
        do {
            return try await credentials.credentials()
        } catch {
            var failure = AWSError(
                error.isCancelled ? .cancelled : .credentials,
                service: service.name,
                operation: call.operation,
                message: error.description
            )
            failure.mayPass = error.isTransient
            throw failure
        }
    }
}
