// The answer of EKS that says where a cluster's API is.
import SluiceCore
import SluiceStandIns
import Testing

@testable import AWSDriver

@Suite("EKS", .timeLimit(.minutes(10)))
struct EKSTests {
    private func run(_ answer: Answer, _ body: (EKS, ScriptedStandIn) async throws -> Void) async throws {
        try await AWSWorld.run(.eks, ScriptedStandIn([answer])) { client, standIn in
            try await body(EKS(client), standIn)
        }
    }

    @Test("a cluster is where its endpoint is, and known by its authority")
    func describe() async throws {
        let answer = #"""
            {"cluster":{"name":"c 1","status":"ACTIVE","endpoint":"https://k.example",
            "certificateAuthority":{"data":"LS0tLS1CRUdJTg=="}}}
            """#
        try await run(Answer(200, answer)) { eks, standIn async throws in
            let cluster = try await eks.describe("c 1")
            let expected = EKS.Cluster(
                name: "c 1",
                status: "ACTIVE",
                endpoint: "https://k.example",
                authority: "-----BEGIN"
            )
            #expect(cluster == expected)
            let asked = try #require(standIn.asked.first)
            #expect(asked.target == "/clusters/c%201")
            #expect(asked.header("Authorization")?.contains("/eu-west-1/eks/aws4_request") == true)
        }
    }

    @Test(
        "a cluster without an API that can be trusted is none",
        arguments: [
            "{}", #"{"cluster":{"status":"CREATING"}}"#,
            #"{"cluster":{"status":"ACTIVE","endpoint":"http://k","certificateAuthority":{"data":"LS0t"}}}"#,
            #"{"cluster":{"status":"ACTIVE","endpoint":"https://k","certificateAuthority":{"data":"?"}}}"#,
            #"{"cluster":{"status":"ACTIVE","endpoint":"https://k"}}"#,
        ]
    )
    func unusable(body: String) async throws {
        try await run(Answer(200, body)) { eks, _ async throws in
            let error = await #expect(throws: AWSError.self) { _ = try await eks.describe("c") }
            #expect(error?.kind == .invalidAnswer)
        }
    }
}
