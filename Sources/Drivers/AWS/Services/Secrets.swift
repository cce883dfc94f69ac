// Secrets that AWS keeps: in Secrets Manager, or in the Parameter Store of Systems Manager.
internal import SluiceCore

/// Reads secrets by reference.
package struct Secrets: Sendable {
    private static let manager = AWSJSONProtocol(target: "secretsmanager", version: "1.1")
    private static let parameters = AWSJSONProtocol(target: "AmazonSSM", version: "1.1")
    /// Before the name of a parameter.
    private static let parameterMark = "ssm:"

    private let secretsManager: AWSClient
    private let systemsManager: AWSClient

    init(secretsManager: AWSClient, systemsManager: AWSClient) {
        self.secretsManager = secretsManager
        self.systemsManager = systemsManager
    }

    /// A secret's text as it is now.
    ///
    /// - Parameter reference: `ssm:` and a parameter's name; else a secret's name or ARN, perhaps with `#` and the member of
    ///   the JSON object that it holds.
    /// - Returns: the text, which is not empty.
    /// - Throws: the service's refusal, or that it holds no such text; neither shows what it holds.
    package func text(_ reference: String) async throws(AWSError) -> String {
        if reference.hasPrefix(Self.parameterMark) {
            let name = String(reference.dropFirst(Self.parameterMark.count))
            let input: JSONObject = ["Name": .string(name), "WithDecryption": .bool(true)]
            let call = Self.parameters.call("GetParameter", JSONValue.object(input).bytes())
            let found = try await systemsManager.object(call)["Parameter"]?["Value"]?.stringValue
            guard let found, !found.isEmpty else {
                throw systemsManager.senseless("GetParameter", "the parameter \(name) holds no text")
            }
            return found
        }
        let parts = reference.split(separator: "#", maxSplits: 1).map(String.init)
        let input: JSONObject = ["SecretId": .string(parts.first ?? "")]
        let call = Self.manager.call("GetSecretValue", JSONValue.object(input).bytes())
        var found = try await secretsManager.object(call)["SecretString"]?.stringValue
        if parts.count == 2, let text = found {
            // What is no JSON has no such member, and must not be shown in an error.
            found = (try? JSONValue.parse(Array(text.utf8)))?[parts[1]]?.stringValue
        }
        guard let found, !found.isEmpty else {
            throw secretsManager.senseless("GetSecretValue", "the secret \(reference) holds no such text")
        }
        return found
    }
}
