// S3 servers that check our signatures, each by code of its own.
import HTTPDriver
import SluiceCore
import Testing

@testable import AWSDriver

/// None of them is ours, and none is built on another's code; see `Scripts/emulator.py` and `Scripts/s3_servers.py`.
enum S3Verifier: String, CaseIterable, CustomTestStringConvertible {
    case ministack, rclone, juicefs

    private static let rcloneServer = Result { try ServerProcess("Scripts/s3_servers.py", "rclone") }
    private static let juicefsServer = Result { try ServerProcess("Scripts/s3_servers.py", "juicefs") }

    var testDescription: String { rawValue }

    /// A bucket that nobody else uses; its connections are closed afterwards.
    func withBucket<Value>(_ body: (SignedBucket) async throws -> Value) async throws -> Value {
        let name = "bucket-\(String(SystemRandomSource().next(), radix: 36))"
        let server: ServerProcess
        switch self {
        case .ministack:
            return try await StrictEmulator.withUser { user in
                let bucket = try SignedBucket(name, url: user.url, user.credentials(), user.peer)
                try await bucket.s3.makeBucket()
                return try await body(bucket)
            }
        case .rclone: server = try await ServerProcess.started { try Self.rcloneServer.get() }
        case .juicefs: server = try await ServerProcess.started { try Self.juicefsServer.get() }
        }
        let peer = try HTTPPeer()
        let keys = try AWSCredentials(accessKeyID: server.words[0], secretAccessKey: server.words[1])
        let bucket = try SignedBucket(name, url: server.url, keys, peer)
        return try await peer.used {
            try await bucket.s3.makeBucket()
            return try await body(bucket)
        }
    }
}

/// A bucket, and requests to it that are signed in each way there is.
struct SignedBucket: Sendable {
    let s3: S3
    let credentials: AWSCredentials
    let peer: HTTPPeer

    /// A refusal in S3's words.
    struct Refusal: Error, CustomStringConvertible {
        let status: Int
        let code: String

        var description: String { "\(status) \(code)" }
    }

    init(
        _ name: String,
        url: String,
        _ credentials: AWSCredentials,
        _ peer: HTTPPeer,
        clock: any Timekeeping = ShiftedClock()
    ) throws(AWSProblem) {
        let client = AWSClient(
            .s3,
            region: "us-east-1",
            endpoint: try AWSEndpoint(url, setting: "the server"),
            credentials: RenewingCredentials(FixedCredentials(credentials), clock: clock),
            peer: peer,
            clock: clock
        )
        s3 = try S3(client, bucket: name)
        self.credentials = credentials
        self.peer = peer
    }

    /// The same bucket as somebody else sees it, or at another time.
    func asked(
        with other: AWSCredentials? = nil,
        clock: any Timekeeping = ShiftedClock()
    ) throws(AWSProblem) -> SignedBucket {
        try SignedBucket(
            s3.bucket,
            url: s3.client.endpoint.description,
            other ?? credentials,
            peer,
            clock: clock
        )
    }

    /// Sends what needs no further signature.
    @discardableResult
    func send(
        _ method: HTTPCall.Method,
        _ url: String,
        headers: [(name: String, value: String)] = [],
        _ body: [UInt8]? = nil
    ) async throws -> [UInt8] {
        let call = HTTPCall(method, url, headers: headers, body: body.map { HTTPBody($0) })
        let (reply, bytes) = try await peer.exchange(call, limit: 1 << 20)
        guard (200..<300).contains(reply.status) else {
            throw Refusal(status: reply.status, code: AWSErrorBody(bytes).code ?? "")
        }
        return bytes
    }
}
