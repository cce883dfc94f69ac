// Where credentials come from: the environment, and one place after the other.
import SluiceCore
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Credentials")
struct CredentialTests {
    @Test("however they are printed, their secrets are not")
    func secrecy() throws {
        let credentials = try AWSWorld.credentials(expires: Timestamp(milliseconds: 0))
        AWSWorld.expectNoSecret(in: credentials)
        AWSWorld.expectNoSecret(in: [Optional(credentials)])
        AWSWorld.expectNoSecret(in: FixedCredentials(credentials))
        #expect("\(credentials)" == "access key AKIDEXAMPLE, a session's, until 1970-01-01T00:00:00.000Z")
    }

    @Test("parts that are empty, or that no header can hold, are named and not shown")
    func broken() {
        for (key, secret, token, name) in [
            ("", "hush", nil, "access key id"), ("A", "", nil, "secret access key"),
            ("A", "hush\n", nil, "secret access key"),
            ("A", "s", "hush hush", "session token"), ("hüsh", "s", nil, "access key id"),
        ] {
            let problem = #expect(throws: AWSProblem.self) {
                _ = try AWSCredentials(accessKeyID: key, secretAccessKey: secret, sessionToken: token)
            }
            #expect(problem?.description.contains("the \(name)") == true)
            #expect(problem?.description.contains("hush") == false)
        }
    }

    @Test("the environment has all, nothing, or half of it")
    func environment() async throws {
        let key = "AWS_ACCESS_KEY_ID"
        let secret = "AWS_SECRET_ACCESS_KEY"
        let all = [key: "A", secret: "S", "AWS_SESSION_TOKEN": "T"]
        let found = try await EnvironmentCredentials(AWSWorld.environment(all)).credentials()
        #expect(try found == AWSCredentials(accessKeyID: "A", secretAccessKey: "S", sessionToken: "T"))
        #expect(try await EnvironmentCredentials(AWSWorld.environment([key: "", secret: ""])).credentials() == nil)
        for (set, unset) in [(key, secret), (secret, key)] {
            let problem = await #expect(throws: AWSProblem.self) {
                _ = try await EnvironmentCredentials(AWSWorld.environment([set: "hush"])).credentials()
            }
            #expect(problem?.description == "\(set) is set, and \(unset) is not")
        }
    }

    @Test("the first place that is set up counts, and a broken one is not passed over")
    func chain() async throws {
        let absent = CountingProvider { _ throws(AWSProblem) in nil }
        let first = CountingProvider { _ throws(AWSProblem) in try AWSWorld.credentials(key: "FIRST") }
        let second = CountingProvider { _ throws(AWSProblem) in try AWSWorld.credentials(key: "SECOND") }
        let broken = CountingProvider { _ throws(AWSProblem) in throw AWSProblem("broken", isTransient: true) }
        let found = try await CredentialChain([absent, first, second]).credentials()
        #expect(found?.accessKeyID == "FIRST")
        #expect(second.asked == 0)
        let problem = await #expect(throws: AWSProblem.self) {
            _ = try await CredentialChain([absent, broken, second]).credentials()
        }
        #expect(problem == AWSProblem("a test: broken", isTransient: true))
        #expect(try await CredentialChain([absent]).credentials() == nil)
    }
}
