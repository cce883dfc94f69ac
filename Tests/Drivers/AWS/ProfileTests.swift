// Profiles say who we are, in which region, and where AWS is.
import SluiceCore
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Profiles")
struct ProfileTests {
    private let config = """
        # comment
        [default]
        region = eu-west-1 ; where we are
        [profile  keys]
        aws_access_key_id=CONFIG
        aws_secret_access_key = s/with+signs==#kept
        s3 =
            max_concurrent_requests = 20
        endpoint_url = http://127.0.0.1:1
        services = local
        [profile own]
        role_arn = arn:own
        source_profile = own
        aws_access_key_id = OWN
        aws_secret_access_key = s
        [profile around]
        role_arn = arn:a
        source_profile = again
        [profile again]
        role_arn = arn:b
        source_profile = around
        [profile half]
        aws_access_key_id = A
        [profile sso]
        sso_session = x
        [profile process]
        credential_process = hush --now
        [profile mfa]
        role_arn = r
        source_profile = keys
        mfa_serial = m
        [profile alone]
        role_arn = r
        [profile strange]
        role_arn = r
        credential_source = Elsewhere
        [profile lost]
        role_arn = r
        source_profile = nowhere
        [profile long]
        role_arn = r
        source_profile = keys
        duration_seconds = 1
        [services local]
        dynamodb =
            endpoint_url = http://127.0.0.1:2
        [sso-session x]
        sso_region = us-east-1
        """
    private let shared = "[keys]\r\naws_access_key_id = SHARED\r\n\r\n[default]\r\nregion = eu-west-2\r\n"

    private func settings(_ variables: [String: String], region: String? = nil) throws -> AWSSettings {
        let files = [
            "/home/me/.aws/config": config, "/home/me/.aws/credentials": shared, "/c": "[default]\nregion=us-east-1",
        ]
        let environment = AWSWorld.environment(variables.merging(["HOME": "/home/me"]) { own, _ in own }, files: files)
        return try AWSSettings(environment, region: region)
    }

    private func credentials(_ profile: String?) async throws -> AWSCredentials? {
        let settings = try settings(profile.map { ["AWS_PROFILE": $0] } ?? [:])
        let random = SeededRandomSource(seed: 1)
        return try await ProfileCredentials(settings, random: random, places: { _ in nil }) { _ throws(AWSProblem) in
            throw AWSProblem("STS was asked")
        }.credentials()
    }

    @Test("both files are read, and the credentials file counts before the other")
    func keys() async throws {
        let found = try #require(try await credentials("keys"))
        #expect(found.accessKeyID == "SHARED")
        #expect(found.secret == "s/with+signs==#kept")
        #expect(try await credentials(nil) == nil)
    }

    @Test(
        "what a profile asks for and can't have is named",
        arguments: [
            ("half", "the profile half has aws_access_key_id without its other half"),
            ("sso", "the profile sso has sso_session, and IAM Identity Center is not supported"),
            (
                "process",
                "the profile process has credential_process, and a program that gives credentials is not supported"
            ),
            ("mfa", "the profile mfa has mfa_serial"),
            ("alone", "the profile alone has role_arn, but none of source_profile"),
            ("strange", "the profile strange has role_arn, but none of source_profile"),
            ("lost", "there is no profile nowhere"), ("around", "the profiles around, again are each other's"),
            ("long", "duration_seconds of the profile long"), ("own", "STS was asked"),
            ("nobody", "there is no profile nobody"),
        ]
    )
    func refused(profile: String, words: String) async throws {
        let problem = await #expect(throws: AWSProblem.self) { _ = try await credentials(profile) }
        #expect(problem?.description.hasPrefix(words) == true)
        #expect(problem?.description.contains("hush") == false)
    }

    @Test("a broken file is named with its line, which is not shown")
    func broken() {
        for (text, words) in [
            ("[default]\naws_secret_access_key hush", "line 2 of /f is neither"),
            ("hush = 1", "line 1 of /f stands before"),
            ("\n[default", "line 2 of /f begins a section"),
        ] {
            let environment = AWSWorld.environment(["AWS_SHARED_CREDENTIALS_FILE": "/f"], files: ["/f": text])
            let problem = #expect(throws: AWSProblem.self) { _ = try AWSSettings(environment) }
            #expect(problem?.description.hasPrefix(words) == true)
            #expect(problem?.description.contains("hush") == false)
        }
        let unreadable = AWSEnvironment(variables: ["AWS_CONFIG_FILE": "/f"]) { _ throws(AWSEnvironment.FileProblem) in
            throw AWSEnvironment.FileProblem(reason: "Permission denied")
        }
        let problem = #expect(throws: AWSProblem.self) { _ = try AWSSettings(unreadable) }
        #expect(problem?.description == "/f can't be read: Permission denied")
    }

    @Test("the region is that of the call, of the environment, or of the profile")
    func region() throws {
        #expect(try settings([:]).region() == "eu-west-2")
        #expect(try settings(["AWS_DEFAULT_REGION": "a-2"]).region() == "a-2")
        #expect(try settings(["AWS_DEFAULT_REGION": "a-2", "AWS_REGION": "a-1"]).region() == "a-1")
        #expect(try settings(["AWS_REGION": "a-1"], region: "a-0").region() == "a-0")
        #expect(
            try settings(["AWS_CONFIG_FILE": "~/.aws/../c", "AWS_SHARED_CREDENTIALS_FILE": "/c"]).region()
                == "us-east-1"
        )
        let none = try settings(["AWS_PROFILE": "keys"])
        let problem = #expect(throws: AWSProblem.self) { _ = try none.region() }
        #expect(problem?.description == "no AWS region is set: set AWS_REGION, or region in the profile")
        for region in ["evil.example/", "EU-WEST-1", "-", "a_b", String(repeating: "a", count: 64)] {
            #expect(throws: AWSProblem.self) { _ = try settings(["AWS_REGION": region]).region() }
        }
    }

    @Test("an endpoint is the service's own, that of all, the profile's, or AWS's")
    func endpoint() throws {
        let own = [
            "AWS_ENDPOINT_URL_SQS": "https://own:8/p/", "AWS_ENDPOINT_URL": "http://all", "AWS_REGION": "eu-west-1",
        ]
        #expect(try settings(own).endpoint(of: .sqs).description == "https://own:8/p")
        #expect(try settings(own).endpoint(of: .dynamoDB).description == "http://all")
        let profile = ["AWS_PROFILE": "keys", "AWS_REGION": "eu-west-1"]
        #expect(try settings(profile).endpoint(of: .sqs).description == "http://127.0.0.1:1")
        #expect(try settings(profile).endpoint(of: .dynamoDB).description == "http://127.0.0.1:2")
        let streams = own.merging(["AWS_ENDPOINT_URL_DYNAMODB_STREAMS": "http://streams"]) { $1 }
        #expect(try settings(streams).endpoint(of: .dynamoDBStreams).description == "http://streams")
        #expect(try settings(streams).endpoint(of: .dynamoDB).description == "http://all")
        let regional = try settings([:], region: "eu-west-1").endpoint(of: .dynamoDBStreams)
        #expect(regional.description == "https://streams.dynamodb.eu-west-1.amazonaws.com")
        let ignoring = own.merging(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "True"]) { $1 }
        #expect(try settings(ignoring).endpoint(of: .sqs).description == "https://sqs.eu-west-1.amazonaws.com")
        #expect(try settings([:], region: "cn-north-1").endpoint(of: .s3).host == "s3.cn-north-1.amazonaws.com.cn")
        for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
            let problem = #expect(throws: AWSProblem.self) { _ = try settings([name: "true"]) }
            #expect(problem?.description.hasPrefix("\(name) is not supported") == true)
        }
    }
}
