// Credentials that an instance is given over HTTP.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Credentials of an instance", .timeLimit(.minutes(10)))
struct InstanceTests {
    private func ask(_ url: String, _ variables: [String: String] = [:]) async throws -> AWSCredentials? {
        let endpoint = ["AWS_EC2_METADATA_SERVICE_ENDPOINT": url]
        let environment = AWSWorld.environment(endpoint.merging(variables) { $1 })
        let random = SeededRandomSource(seed: 1)
        // However busy this machine is, somebody does answer.
        let instance = try InstanceCredentials(
            environment,
            patience: .seconds(60),
            clock: EagerClock(),
            random: random
        )
        return try await instance.credentials()
    }

    private func scripted(_ role: Answer = Answer(200, AWSWorld.roleKeys), roles: Answer = Answer(200, "my role\n"))
        -> ScriptedStandIn
    {
        ScriptedStandIn { _, asked in
            if asked.method == "PUT" {
                let isAsked = asked.header("X-aws-ec2-metadata-token-ttl-seconds") != nil
                return isAsked && asked.target == "/latest/api/token" ? Answer(200, "hush-token") : Answer(400)
            }
            guard asked.header("X-aws-ec2-metadata-token") == "hush-token" else { return Answer(401) }
            switch asked.target {
            case "/latest/meta-data/iam/security-credentials/": return roles
            case "/latest/meta-data/iam/security-credentials/my%20role": return role
            default: return Answer(404)
            }
        }
    }

    @Test("a token is fetched, then the role's name, then its keys")
    func fetched() async throws {
        let standIn = scripted()
        try await withServer(standIn) { url async throws in
            let found = try await ask(url)
            #expect(found?.accessKeyID == "ROLEKEY")
            #expect(standIn.asked.map(\.method) == ["PUT", "GET", "GET"])
        }
    }

    @Test("an instance without a role, one that is told not to ask, and a machine that is none are passed over")
    func absent() async throws {
        for roles in [Answer(404), Answer(200, "")] {
            try await withServer(scripted(roles: roles)) { url async throws in #expect(try await ask(url) == nil) }
        }
        let standIn = scripted()
        let gone = try await withServer(standIn) { url async throws in
            #expect(try await ask(url, ["AWS_EC2_METADATA_DISABLED": "TRUE"]) == nil)
            #expect(standIn.asked.isEmpty)
            return url
        }
        #expect(try await ask(gone) == nil)
    }

    @Test("a service that gives no token is not asked without one")
    func noToken() async throws {
        let standIn = ScriptedStandIn([Answer(403, "hush")])
        try await withServer(standIn) { url async throws in
            let problem = await #expect(throws: AWSProblem.self) { _ = try await ask(url) }
            #expect(problem?.description == "the instance metadata service, asked for a token, answered 403")
            #expect(standIn.asked.count == 1)
        }
    }

    @Test("a role whose keys can't be had is named")
    func noKeys() async throws {
        for (answer, words) in [
            (Answer(404), "does not know it"), (Answer(500, "hush"), "answered 500"),
            (Answer(200, "[]"), "something else"),
        ] {
            try await withServer(scripted(answer)) { url async throws in
                let problem = await #expect(throws: AWSProblem.self) { _ = try await ask(url) }
                #expect(problem?.description.contains(words) == true)
                AWSWorld.expectNoSecret(in: try #require(problem))
            }
        }
    }
}
