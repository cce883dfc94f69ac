// Keys by reference, from the emulator's Secrets Manager and Parameter Store, and from a script what neither may show.
import SluiceCore
import SluiceStandIns
import Testing

@testable import AWSDriver

@Suite("Secrets", .timeLimit(.minutes(10)))
struct SecretsTests {
    private static let manager = AWSJSONProtocol(target: "secretsmanager", version: "1.1")
    private static let parameters = AWSJSONProtocol(target: "AmazonSSM", version: "1.1")

    /// Two services of one account, with a secret in each form.
    private func stored(_ body: (Secrets, _ arn: String) async throws -> Void) async throws {
        try await Emulator.withAccount { account in
            let manager = try account.client(.secretsManager)
            let systems = try account.client(.ssm)
            var arn = ""
            for (name, text) in [("plain", "hush-1"), ("json", #"{"a":"hush-2","b":{"c":3}}"#)] {
                let input: JSONValue = ["Name": .string(name), "SecretString": .string(text)]
                arn =
                    try await manager.object(Self.manager.call("CreateSecret", input.bytes()))["ARN"]?.stringValue ?? ""
            }
            for (name, type) in [("/keys/secure", "SecureString"), ("open", "String")] {
                let input: JSONValue = [
                    "Name": .string(name), "Value": .string("hush \(name)"), "Type": .string(type),
                ]
                _ = try await systems.object(Self.parameters.call("PutParameter", input.bytes()))
            }
            try await body(Secrets(secretsManager: manager, systemsManager: systems), arn)
        }
    }

    @Test("a reference is a secret's name or ARN, a member of its object, or a parameter")
    func found() async throws {
        try await stored { secrets, arn in
            let references = ["plain", "json#a", "\(arn)#a", "ssm:/keys/secure", "ssm:open"]
            var texts: [String] = []
            for reference in references { texts.append(try await secrets.text(reference)) }
            #expect(texts == ["hush-1", "hush-2", "hush-2", "hush /keys/secure", "hush open"])
        }
    }

    @Test(
        "what is not there is told by its reference, and nothing of what is",
        arguments: [
            ("absent", "ResourceNotFoundException"), ("ssm:/keys/absent", "ParameterNotFound"),
            ("json#absent", "json#absent"), ("json#b", "json#b"), ("plain#a", "plain#a"),
        ]
    )
    func absent(reference: String, told: String) async throws {
        try await stored { secrets, _ in
            let error = await #expect(throws: AWSError.self) { _ = try await secrets.text(reference) }
            let text = "\(try #require(error)) \(error?.code ?? "")"
            #expect(text.contains(told), "\(text)")
            AWSWorld.expectNoSecret(in: text)
        }
    }

    @Test(
        "a secret that is no text, or an empty one, is refused",
        arguments: [
            #"{"SecretBinary":"aHVzaA=="}"#, #"{"SecretString":""}"#, "{}", #"{"Parameter":{"Value":""}}"#,
            #"{"Parameter":{}}"#,
        ],
        ["name", "ssm:name"]
    )
    func noText(body: String, reference: String) async throws {
        try await AWSWorld.run(.secretsManager, ScriptedStandIn([Answer(200, body)])) { client, _ async throws in
            let secrets = Secrets(secretsManager: client, systemsManager: client)
            let error = await #expect(throws: AWSError.self) { _ = try await secrets.text(reference) }
            #expect(error?.kind == .invalidAnswer)
            #expect(error?.message.contains("name") == true)
        }
    }
}
