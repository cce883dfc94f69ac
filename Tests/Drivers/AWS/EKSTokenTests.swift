// The token for Kubernetes on EKS holds the URL that EKS asks.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("The token of EKS")
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
}
