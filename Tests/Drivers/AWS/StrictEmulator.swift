// An emulator that checks every signature and every permission, and users of it that tests make.
import HTTPDriver
import SluiceCore
import Testing

@testable import AWSDriver

/// The emulator with its checks on; its root key is not checked, and serves to make users alone.
enum StrictEmulator {
    private static let shared = Result { try ServerProcess("Scripts/emulator.py", "--strict") }
    private static let region = "us-east-1"
    private static let iam = AWSService(name: "IAM", id: "iam")

    static var url: String { get throws { try shared.get().url } }

    /// A user of its own with an access key, who may do what the statements say.
    static func withUser<Value>(
        _ statements: String = #"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
        _ body: (User) async throws -> Value
    ) async throws -> Value {
        let url = try await ServerProcess.started { try Self.url }
        let peer = try HTTPPeer()
        return try await peer.used {
            let root = User(name: "root", key: "test", secret: "test", url: url, peer: peer)
            let name = "user-\(String(SystemRandomSource().next(), radix: 36))"
            try await root.ask("CreateUser", [("UserName", name)])
            let policy = #"{"Version":"2012-10-17","Statement":[\#(statements)]}"#
            try await root.ask(
                "PutUserPolicy",
                [("UserName", name), ("PolicyName", "may"), ("PolicyDocument", policy)]
            )
            let made = try await root.ask("CreateAccessKey", [("UserName", name)])["AccessKey"]
            let key = try #require(made?["AccessKeyId"]?.text)
            let secret = try #require(made?["SecretAccessKey"]?.text)
            return try await body(User(name: name, key: key, secret: secret, url: url, peer: peer))
        }
    }

    struct User: Sendable {
        let name: String
        let key: String
        let secret: String
        let url: String
        let peer: HTTPPeer

        func credentials(secret: String? = nil) throws(AWSProblem) -> AWSCredentials {
            try AWSCredentials(accessKeyID: key, secretAccessKey: secret ?? self.secret)
        }

        func client(
            _ service: AWSService,
            secret: String? = nil,
            clock: any Timekeeping = WallClock()
        ) throws(AWSProblem) -> AWSClient {
            AWSClient(
                service,
                region: StrictEmulator.region,
                endpoint: try AWSEndpoint(url, setting: "the emulator"),
                credentials: RenewingCredentials(FixedCredentials(try credentials(secret: secret)), clock: clock),
                peer: peer,
                clock: clock
            )
        }

        /// A call of IAM, in the same protocol as STS.
        @discardableResult
        fileprivate func ask(_ action: String, _ fields: [(name: String, value: String)]) async throws -> XMLElement {
            let all = [(name: "Action", value: action), ("Version", "2010-05-08")] + fields
            let body = all.map { "\($0.name)=\(Escaping.escaped($0.value))" }.joined(separator: "&")
            var call = AWSCall(action, body: HTTPBody(Array(body.utf8)))
            call.headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
            let answer = try await client(StrictEmulator.iam).send(call)
            return try XMLElement.parse(answer.body)["\(action)Result"] ?? XMLElement.parse(answer.body)
        }
    }
}

/// Time that is this much off, and on which nobody sleeps.
struct ShiftedClock: Timekeeping {
    var off = Duration.zero

    var now: Timestamp { WallClock().now.advanced(by: off) }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}
