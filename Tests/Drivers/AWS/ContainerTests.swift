// Credentials that a container is given over HTTP.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Credentials of a container", .timeLimit(.minutes(10)))
struct ContainerTests {
    private let random = SeededRandomSource(seed: 1)

    private func ask(
        _ variables: [String: String],
        files: [String: String] = [:],
        ecs: String = "http://127.0.0.1:1"
    ) async throws -> AWSCredentials? {
        let environment = AWSWorld.environment(variables, files: files)
        return try await ContainerCredentials(environment, ecs: ecs, clock: EagerClock(), random: random).credentials()
    }

    @Test("a full URI is asked with the token of the file, which counts before the variable")
    func full() async throws {
        let standIn = ScriptedStandIn([Answer(200, AWSWorld.roleKeys)])
        try await withServer(standIn) { url async throws in
            let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
            let variables = [
                full: "\(url)/v1/credentials?x=1", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "other",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
            ]
            let found = try await ask(variables, files: ["/token": "vouched\n"])
            #expect(found?.accessKeyID == "ROLEKEY")
            #expect(found?.token == "hush-t")
            #expect(found?.expires == Timestamp("2026-12-01T00:00:00Z"))
            #expect(standIn.asked.first?.target == "/v1/credentials?x=1")
            #expect(standIn.asked.first?.header("Authorization") == "vouched")
        }
    }

    @Test("a relative URI is ECS's, and counts before the full one")
    func relative() async throws {
        let standIn = ScriptedStandIn([Answer(200, AWSWorld.roleKeys)])
        try await withServer(standIn) { url async throws in
            let variables = [
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil",
            ]
            #expect(try await ask(variables, ecs: url)?.accessKeyID == "ROLEKEY")
            #expect(standIn.asked.map(\.target) == ["/v2/x"])
            #expect(standIn.asked.first?.header("Authorization") == nil)
        }
    }

    @Test("plain HTTP goes nowhere but to the machine itself")
    func hosts() async throws {
        for host in ["example.com", "169.254.170.3", "127.0.0.1.example.com", "127.evil", "[fd00:ec2::24]", "10.0.0.1"]
        {
            let problem = await #expect(throws: AWSProblem.self) {
                _ = try await ask(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://\(host)/hush"])
            }
            #expect(problem?.description.contains("over plain http") == true)
            #expect(problem?.description.contains("hush") == false)
        }
        #expect(try await ask([:]) == nil)
    }

    @Test("a token that no header can hold, or whose file is gone, is named")
    func tokens() async throws {
        let uri = ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"]
        let variable = uri.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN": "hush\r\nX: 1"]) { $1 }
        let file = uri.merging(["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/gone"]) { $1 }
        for (variables, words) in [(variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN holds"), (file, "names /gone")] {
            let problem = await #expect(throws: AWSProblem.self) { _ = try await ask(variables) }
            #expect(problem?.description.contains(words) == true)
            #expect(problem?.description.contains("hush") == false)
        }
    }

    @Test("trouble that may pass is tried again, and nothing of the answer is shown")
    func trouble() async throws {
        let cases: [(answers: [Answer], requests: Int, isTransient: Bool?)] = [
            ([Answer(500, "hush"), .fault(.reset), Answer(200, AWSWorld.roleKeys)], 3, nil),
            ([Answer(503, "hush")], 3, true),
            ([Answer(403, "hush")], 1, false), ([Answer(200, "hush")], 1, true), ([Answer(200, "{}")], 1, true),
            ([Answer(200, #"{"AccessKeyId":"A","SecretAccessKey":"hush","Expiration":"soon"}"#)], 1, false),
            ([Answer(200, #"{"Code":"AssumeRoleUnauthorizedAccess"}"#)], 1, true),
        ]
        for (answers, requests, isTransient) in cases {
            let standIn = ScriptedStandIn(answers)
            try await withServer(standIn) { url async throws in
                do {
                    let found = try await ask(["AWS_CONTAINER_CREDENTIALS_FULL_URI": url])
                    #expect(isTransient == nil && found != nil)
                } catch let problem as AWSProblem {
                    #expect(problem.isTransient == isTransient)
                    AWSWorld.expectNoSecret(in: problem)
                }
                #expect(standIn.asked.count == requests)
            }
        }
    }
}
