// Roles that STS lets us take on.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("STS", .timeLimit(.minutes(10)))
struct STSTests {
    private static func answer(_ operation: String, _ inside: String) -> Answer {
        Answer(
            200,
            "<\(operation)Response xmlns=\"x\"><\(operation)Result>\(inside)</\(operation)Result></\(operation)Response>"
        )
    }

    private static let session = """
        <Credentials><AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>\
        <SessionToken>hush-t</SessionToken><Expiration>2026-12-01T00:00:00Z</Expiration></Credentials>
        """

    @Test("it says who we are")
    func identity() async throws {
        let inside = "<Arn>arn:aws:iam::1:user/a&amp;b</Arn><UserId>U</UserId><Account>1</Account>"
        let standIn = ScriptedStandIn([Self.answer("GetCallerIdentity", inside)])
        try await AWSWorld.run(.sts, standIn) { client, standIn in
            let identity = try await STS(client).callerIdentity()
            #expect(
                identity
                    == STS.Identity(
                        account: "1",
                        arn: "arn:aws:iam::1:user/a&b",
                        userID: "U",
                        answeredAt: identity.answeredAt
                    )
            )
            #expect(standIn.asked.first?.text == "Action=GetCallerIdentity&Version=2011-06-15")
            #expect(standIn.asked.first?.header("Authorization")?.contains("/eu-west-1/sts/aws4_request") == true)
        }
    }

    @Test("an answer without what was asked for is none")
    func senseless() async throws {
        for body in ["", "{}", "<a/>", "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>"] {
            try await AWSWorld.run(.sts, ScriptedStandIn([Answer(200, body)])) { client, _ in
                let role = STS.Role(arn: "arn:r", sessionName: "s")
                let error = await #expect(throws: AWSError.self) { _ = try await STS(client).assume(role) }
                #expect(error?.kind == .invalidAnswer)
            }
        }
    }

    @Test("the standard chain takes on the role of a web identity, unsigned, with the token as it is now")
    func webIdentity() async throws {
        let operation = "AssumeRoleWithWebIdentity"
        let standIn = ScriptedStandIn([Self.answer(operation, Self.session)])
        let variables = [
            "AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
            "AWS_ROLE_SESSION_NAME": "me",
        ]
        let found = try await chain(variables, files: ["/token": "hush.to+ken\n"], standIn)
        #expect(found?.accessKeyID == "ROLEKEY")
        #expect(found?.expires == Timestamp("2026-12-01T00:00:00Z"))
        let asked = try #require(standIn.asked.first)
        #expect(asked.header("Authorization") == nil)
        #expect(
            asked.text == "Action=\(operation)&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr"
                + "&RoleSessionName=me&WebIdentityToken=hush.to%2Bken"
        )
    }

    @Test("a token that STS refuses and repeats is not shown")
    func refusedToken() async throws {
        let body =
            "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>hush-x is bad</Message></Error></ErrorResponse>"
        let variables = ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:r"]
        let problem = await #expect(throws: AWSProblem.self) {
            _ = try await chain(variables, files: ["/token": "hush-x"], ScriptedStandIn([Answer(400, body)]))
        }
        #expect(
            problem?.description.contains("web identity: STS AssumeRoleWithWebIdentity: InvalidIdentityToken") == true
        )
        AWSWorld.expectNoSecret(in: try #require(problem))
    }

    @Test("a profile's role is taken on with its source's keys")
    func profileRole() async throws {
        let config = """
            [profile role]
            role_arn = arn:r
            source_profile = keys
            external_id = for us
            duration_seconds = 900
            [profile keys]
            aws_access_key_id = SOURCE
            aws_secret_access_key = s
            """
        let standIn = ScriptedStandIn([Self.answer("AssumeRole", Self.session)])
        let variables = ["AWS_PROFILE": "role", "AWS_CONFIG_FILE": "/config"]
        #expect(try await chain(variables, files: ["/config": config], standIn)?.accessKeyID == "ROLEKEY")
        let asked = try #require(standIn.asked.first)
        #expect(asked.header("Authorization")?.contains("Credential=SOURCE/") == true)
        #expect(asked.text.contains("&RoleArn=arn%3Ar&RoleSessionName=sluice-"))
        #expect(asked.text.hasSuffix("&ExternalId=for%20us&DurationSeconds=900"))
    }

    @Test(
        "a profile that was named takes on its role with the environment's keys, if it says so",
        arguments: [true, false]
    )
    func credentialSource(isNamed: Bool) async throws {
        let config = "[profile role]\nrole_arn = arn:r\ncredential_source = Environment\nrole_session_name = me"
        let standIn = ScriptedStandIn([Self.answer("AssumeRole", Self.session)])
        let keys = ["AWS_ACCESS_KEY_ID": "SOURCE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/config"]
        let variables = isNamed ? keys : keys.merging(["AWS_PROFILE": "role"]) { $1 }
        let profile = isNamed ? "role" : nil
        let found = try await chain(variables, files: ["/config": config], standIn, profile: profile)
        // By the environment alone its keys count, as with AWS's own tools.
        #expect(found?.accessKeyID == (isNamed ? "ROLEKEY" : "SOURCE"))
        #expect(standIn.asked.count == (isNamed ? 1 : 0))
    }

    private func chain(
        _ variables: [String: String],
        files: [String: String],
        _ standIn: ScriptedStandIn,
        profile: String? = nil
    ) async throws -> AWSCredentials? {
        try await withServer(standIn) { url async throws in
            let own = ["AWS_ENDPOINT_URL_STS": url, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"]
            let settings = try AWSSettings(
                AWSWorld.environment(own.merging(variables) { $1 }, files: files),
                profile: profile
            )
            let peer = try HTTPPeer()
            let outcome: Result<AWSCredentials?, any Error>
            do {
                let random = SeededRandomSource(seed: 1)
                let chain = try CredentialChain.standard(settings, peer: peer, clock: EagerClock(), random: random)
                outcome = .success(try await chain.credentials())
            } catch {
                outcome = .failure(error)
            }
            await peer.shutdown()
            return try outcome.get()
        }
    }
}
