// A client, the peer that answers it, and time that a test moves.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization
import Testing

@testable import AWSDriver

typealias Answer = ScriptedStandIn.Answer

enum AWSWorld {
    static let key = "AKIDEXAMPLE"
    static let secret = "hush-secret+key/1"
    static let token = "hush-session-token=="

    /// What a machine's surroundings answer.
    static let roleKeys = """
        {"Code":"Success","AccessKeyId":"ROLEKEY","SecretAccessKey":"hush","Token":"hush-t","Expiration":"2026-12-01T00:00:00Z"}
        """

    static func credentials(expires: Timestamp? = nil, key: String = key) throws(AWSProblem) -> AWSCredentials {
        try AWSCredentials(accessKeyID: key, secretAccessKey: secret, sessionToken: token, expires: expires)
    }

    /// Runs the body with a client of a service that gives these answers; its peer is gone afterwards.
    static func run(
        _ service: AWSService = .sqs,
        _ standIn: ScriptedStandIn,
        credentials: (any CredentialProvider)? = nil,
        http: HTTPOptions = HTTPOptions(),
        policy: RetryPolicy = RetryPolicy(base: .zero),
        clock: any Timekeeping = ManualClock(),
        basePath: String = "",
        _ body: (AWSClient, ScriptedStandIn) async throws -> Void
    ) async throws {
        let source = try credentials ?? FixedCredentials(Self.credentials())
        try await withServer(standIn) { url async throws in
            let peer = try HTTPPeer(http)
            let client = AWSClient(
                service,
                region: "eu-west-1",
                endpoint: try AWSEndpoint(url + basePath, setting: "endpoint"),
                credentials: RenewingCredentials(source, clock: clock),
                peer: peer,
                policy: policy,
                clock: clock,
                random: SeededRandomSource(seed: 1)
            )
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(client, standIn))
            } catch {
                outcome = .failure(error)
            }
            await peer.shutdown()
            try outcome.get()
        }
    }

    static func run(
        _ answers: [Answer],
        policy: RetryPolicy = RetryPolicy(base: .zero),
        clock: any Timekeeping = ManualClock(),
        _ body: (AWSClient, ScriptedStandIn) async throws -> Void
    ) async throws {
        try await run(.sqs, ScriptedStandIn(answers), policy: policy, clock: clock, body)
    }

    /// An environment of variables and files that are only in this test.
    static func environment(_ variables: [String: String], files: [String: String] = [:]) -> AWSEnvironment {
        AWSEnvironment(variables: variables) { files[$0] }
    }

    /// No header, error or printed value may hold one of these.
    static func expectNoSecret(in value: Any, _ location: SourceLocation = #_sourceLocation) {
        var dumped = "\(value)"
        dump(value, to: &dumped)
        #expect(!dumped.contains("hush"), sourceLocation: location)
    }
}

/// Gives what it is told to, and counts how often it was asked.
final class CountingProvider: CredentialProvider {
    let name = "a test"
    private let count = Mutex(0)
    private let give: @Sendable (Int) async throws(AWSProblem) -> AWSCredentials?

    init(_ give: @escaping @Sendable (Int) async throws(AWSProblem) -> AWSCredentials?) {
        self.give = give
    }

    var asked: Int { count.withLock { $0 } }

    func credentials() async throws(AWSProblem) -> AWSCredentials? {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return try await give(number)
    }
}

/// Time that stands still, and on which nobody sleeps.
struct EagerClock: Timekeeping {
    let now = ManualClock().now
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}

extension ConnectionFault {
    /// Whether it is found out by a time-out.
    var takesTime: Bool {
        if case .stall = self { true } else { false }
    }
}
