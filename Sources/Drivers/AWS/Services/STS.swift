// The Security Token Service: who we are, and becoming somebody else.
internal import HTTPDriver
package import SluiceCore

/// STS by its query protocol: forms in, XML out.
package struct STS: Sendable {
    /// Whom STS takes us for.
    package struct Identity: Sendable, Equatable {
        package let account: String
        package let arn: String
        package let userID: String
        /// The service's clock when it answered, in whole seconds.
        package var answeredAt: Timestamp?
    }

    /// What role to take on, and under what name.
    package struct Role: Sendable, Equatable {
        package var arn: String
        package var sessionName: String
        /// What the role's owner wants to hear; no secret, but not for everybody.
        package var externalID: String?
        package var seconds: Int?

        package init(arn: String, sessionName: String, externalID: String? = nil, seconds: Int? = nil) {
            self.arn = arn
            self.sessionName = sessionName
            self.externalID = externalID
            self.seconds = seconds
        }
    }

    private static let version = "2011-06-15"
    private static let form = "application/x-www-form-urlencoded; charset=utf-8"

    let client: AWSClient

    package init(_ client: AWSClient) {
        self.client = client
    }

    package func callerIdentity() async throws(AWSError) -> Identity {
        let (result, answer) = try await ask("GetCallerIdentity", [])
        return Identity(
            account: result["Account"]?.text ?? "",
            arn: result["Arn"]?.text ?? "",
            userID: result["UserId"]?.text ?? "",
            answeredAt: HTTPDate.read(answer.reply.header("Date"), now: client.clock.now)
        )
    }

    /// Takes on a role with the client's credentials.
    package func assume(_ role: Role) async throws(AWSError) -> AWSCredentials {
        try credentials(in: try await ask("AssumeRole", Self.fields(role)).result, "AssumeRole")
    }

    /// Takes on a role with a token of whoever vouches for us, and no credentials.
    package func assume(_ role: Role, webIdentity token: String) async throws(AWSError) -> AWSCredentials {
        let fields = Self.fields(role) + [("WebIdentityToken", token)]
        let operation = "AssumeRoleWithWebIdentity"
        let answer = try await ask(operation, fields, isSigned: false, secret: token)
        return try credentials(in: answer.result, operation)
    }

    private static func fields(_ role: Role) -> [(name: String, value: String)] {
        var fields = [(name: "RoleArn", value: role.arn), ("RoleSessionName", role.sessionName)]
        if let externalID = role.externalID { fields.append(("ExternalId", externalID)) }
        if let seconds = role.seconds { fields.append(("DurationSeconds", String(seconds))) }
        return fields
    }

    /// - Returns: the answer, and the element `…Result` of it.
    private func ask(
        _ operation: String,
        _ fields: [(name: String, value: String)],
        isSigned: Bool = true,
        secret: String? = nil
    ) async throws(AWSError) -> (result: XMLElement, answer: AWSAnswer) {
        let all = [(name: "Action", value: operation), ("Version", Self.version)] + fields
        let body = all.map { "\(Escaping.escaped($0.name))=\(Escaping.escaped($0.value))" }.joined(separator: "&")
        var call = AWSCall(operation, body: HTTPBody(Array(body.utf8)))
        call.headers = [("Content-Type", Self.form)]
        call.isSigned = isSigned
        call.secrets = secret.map { [Secret($0)] } ?? []
        let answer = try await client.send(call, bodyMax: 256 << 10)
        guard let root = try? XMLElement.parse(answer.body), let result = root["\(operation)Result"] else {
            throw client.senseless(operation, "the answer holds no \(operation)Result", answer)
        }
        return (result, answer)
    }

    private func credentials(in result: XMLElement, _ operation: String) throws(AWSError) -> AWSCredentials {
        let keys = result["Credentials"]
        guard let end = keys?["Expiration"]?.text, let expires = Timestamp(end) else {
            throw client.senseless(operation, "the answer's credentials have no Expiration")
        }
        do {
            return try AWSCredentials(
                accessKeyID: keys?["AccessKeyId"]?.text ?? "",
                secretAccessKey: keys?["SecretAccessKey"]?.text ?? "",
                sessionToken: keys?["SessionToken"]?.text,
                expires: expires
            )
        } catch {
            throw client.senseless(operation, error.description)
        }
    }
}
