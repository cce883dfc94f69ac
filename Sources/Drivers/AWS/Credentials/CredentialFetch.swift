// Asks a credential endpoint of the machine's surroundings over HTTP.
internal import HTTPDriver
internal import SluiceCore

/// Small answers from close by: short time-outs, a few tries, and a body that nobody repeats.
struct CredentialFetch: Sendable {
    struct Answer {
        let status: Int
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    let peer: HTTPPeer
    let clock: any Timekeeping
    let random: any RandomSource

    private static let policy = RetryPolicy(triesMax: 3, base: .milliseconds(200), longest: .seconds(1))
    private static let bodyMax = 64 << 10

    /// - Parameters:
    ///   - patience: how long a host that is not there is waited for; five times as long for an answer.
    ///   - tls: whom to trust.
    ///   - clock: for the waits between tries.
    ///   - random: their jitter.
    /// - Throws: for TLS files that can't be read.
    init(
        patience: Duration,
        tls: HTTPOptions.TLS = HTTPOptions.TLS(),
        clock: any Timekeeping,
        random: any RandomSource
    ) throws(AWSProblem) {
        var options = HTTPOptions()
        options.connectTimeout = patience
        options.requestTimeout = patience * 5
        options.stallTimeout = patience * 5
        options.tls = tls
        do {
            peer = try HTTPPeer(options)
        } catch {
            throw AWSProblem("\(error)")
        }
        self.clock = clock
        self.random = random
    }

    /// The answer, whatever its status; 429 and 5xx only after the last try.
    ///
    /// - Returns: the failure if no answer came.
    func ask(_ call: HTTPCall, triesMax: Int = Self.policy.triesMax) async throws(AWSProblem) -> Result<
        Answer, HTTPFailure
    > {
        var tries = 0
        while true {
            tries += 1
            let outcome = await once(call)
            switch outcome {
            case .success(let answer) where answer.status != 429 && answer.status < 500: return outcome
            case .failure(let failure) where failure.kind == .cancelled: throw Self.cancelled
            case .success, .failure: if tries >= triesMax { return outcome }
            }
            let wait = Self.policy.wait(after: tries, asked: nil, random: random)
            do {
                try await clock.sleep(until: clock.now.advanced(by: wait), tolerance: nil)
            } catch {
                throw Self.cancelled
            }
        }
    }

    private func once(_ call: HTTPCall) async -> Result<Answer, HTTPFailure> {
        do throws(HTTPFailure) {
            let (reply, body) = try await peer.exchange(call, limit: Self.bodyMax)
            return .success(Answer(status: reply.status, body: body))
        } catch {
            return .failure(error)
        }
    }

    private static var cancelled: AWSProblem { AWSProblem("cancelled", isCancelled: true) }

    /// What a status or a failure says, without the body, which may hold keys.
    static func problem(_ asked: String, _ outcome: Result<Answer, HTTPFailure>) -> AWSProblem {
        switch outcome {
        case .success(let answer):
            let isTransient = answer.status == 429 || answer.status >= 500
            return AWSProblem("\(asked) answered \(answer.status)", isTransient: isTransient)
        case .failure(let failure): return AWSProblem("\(asked): \(failure)", isTransient: failure.kind != .tlsFailed)
        }
    }

    /// Reads `AccessKeyId`, `SecretAccessKey`, `Token` and `Expiration`.
    static func read(_ body: [UInt8], from asked: String) throws(AWSProblem) -> AWSCredentials {
        guard let fields = (try? JSONValue.parse(body))?.objectValue else {
            throw AWSProblem("\(asked) answered with something else than credentials", isTransient: true)
        }
        if let code = fields["Code"]?.stringValue, code != "Success" {
            throw AWSProblem("\(asked) has no credentials: \(code.prefix(80))", isTransient: true)
        }
        guard let key = fields["AccessKeyId"]?.stringValue, let secret = fields["SecretAccessKey"]?.stringValue else {
            throw AWSProblem("\(asked) answered without AccessKeyId or SecretAccessKey", isTransient: true)
        }
        let end = fields["Expiration"]?.stringValue
        let expires = end.flatMap { Timestamp($0) }
        if let end, expires == nil { throw AWSProblem("\(asked): Expiration is no time: \(end.prefix(40))") }
        let token = fields["Token"]?.stringValue
        return try AWSCredentials(accessKeyID: key, secretAccessKey: secret, sessionToken: token, expires: expires)
    }
}
