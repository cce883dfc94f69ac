// The token for Kubernetes on EKS holds the URL that EKS asks.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("The token of EKS", .timeLimit(.minutes(10)))
struct EKSTokenTests {
    @Test("it is a presigned question to STS that names the cluster, and is not shown")
    func token() async throws {
        let clock = ManualClock()
        try await AWSWorld.run(.sts, ScriptedStandIn([]), clock: clock) { client, standIn async throws in
            let token = try await EKSToken(client, cluster: "my-cluster")
            #expect(token.text.hasPrefix("k8s-aws-v1."))
            #expect(!token.text.contains { "+/=".contains($0) })
            let letters = token.text.dropFirst(11).utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "+") : $0 }
                .map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "/") : $0 }
            let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - letters.count % 4) % 4)
            let url = String(decoding: try #require(Base64.decode(letters + padding)), as: UTF8.self)
            let request = SignableRequest(
                "GET",
                host: client.endpoint.authority,
                path: "/",
                query: [("Version", "2011-06-15"), ("Action", "GetCallerIdentity")],
                headers: [("x-k8s-aws-id", "my-cluster")]
            )
            let credentials = try AWSWorld.credentials()
            let place = client.signer.presign(request, expiry: .seconds(60), credentials: credentials, at: clock.now)
            #expect(url == "\(client.endpoint)\(place)")
            #expect(place.contains("X-Amz-Expires=60&"))
            #expect(place.contains("X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"))
            #expect(token.expires == clock.now.advanced(by: .seconds(840)))
            #expect("\(token)" == "a token, until \(token.expires)")
            var dumped = ""
            dump(token, to: &dumped)
            #expect(!dumped.contains("k8s-aws"))
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test("it is what AWS's own command line makes at the same moment, to the byte")
    func independent() async throws {
        let end = try await runTool(
            ["aws", "eks", "get-token", "--cluster-name", "my-cluster", "--region", "eu-west-1", "--output", "json"],
            environment: [
                "AWS_ACCESS_KEY_ID": AWSWorld.key, "AWS_SECRET_ACCESS_KEY": AWSWorld.secret,
                "AWS_SESSION_TOKEN": AWSWorld.token, "AWS_EC2_METADATA_DISABLED": "true",
            ]
        )
        #expect(end.status == 0)
        let theirs = try #require(try JSONValue.parse(end.output)["status"]?["token"]?.stringValue)
        let theirURL = try Self.url(in: theirs)
        let clock = ManualClock(now: try Self.signed(theirURL))
        try await withSTS(clock) { client async throws in
            let ours = try Self.url(in: try await EKSToken(client, cluster: "my-cluster").text)
            #expect(ours.prefix { $0 != "?" } == "https://sts.eu-west-1.amazonaws.com/")
            #expect(Self.query(ours) == Self.query(theirURL))
            #expect(ours.prefix { $0 != "?" } == theirURL.prefix { $0 != "?" })
        }
    }

    private func withSTS(_ clock: ManualClock, _ body: (AWSClient) async throws -> Void) async throws {
        let peer = try HTTPPeer()
        try await peer.used {
            let client = AWSClient(
                .sts,
                region: "eu-west-1",
                endpoint: try AWSEndpoint.regional(.sts, "eu-west-1"),
                credentials: RenewingCredentials(FixedCredentials(try AWSWorld.credentials()), clock: clock),
                peer: peer,
                clock: clock
            )
            try await body(client)
        }
    }

    /// The URL that a token holds.
    private static func url(in token: String) throws -> String {
        let letters = token.dropFirst("k8s-aws-v1.".count).replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - letters.count % 4) % 4)
        return String(decoding: try #require(Base64.decode(Array((letters + padding).utf8))), as: UTF8.self)
    }

    /// Names and values as they stand, in the order of the names: the two may send them in different orders.
    private static func query(_ url: String) -> [String] {
        url.split(separator: "?").last.map { $0.split(separator: "&").map { String($0) }.sorted() } ?? []
    }

    /// When a URL was signed: `20261122T031500Z`.
    private static func signed(_ url: String) throws -> Timestamp {
        let text = try #require(query(url).first { $0.hasPrefix("X-Amz-Date=") }?.dropFirst("X-Amz-Date=".count))
        let digits = Array(text)
        let date = "\(String(digits[0..<4]))-\(String(digits[4..<6]))-\(String(digits[6..<8]))"
        let time = "\(String(digits[9..<11])):\(String(digits[11..<13])):\(String(digits[13..<15]))"
        return try #require(Timestamp("\(date)T\(time)Z"))
    }
}
