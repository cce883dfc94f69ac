// Credentials of an EC2 instance, from its metadata service, version 2.
internal import HTTPDriver
package import SluiceCore

/// The role of the instance that we run on.
///
/// A machine without the service is not one of EC2, and the place is passed over; so is an instance without a role. The older
/// version of the service, which needs no token, is never asked: other software on the machine could be made to ask it for us.
package struct InstanceCredentials: CredentialProvider {
    package let name = "instance metadata"

    private static let rolePath = "/latest/meta-data/iam/security-credentials/"
    /// Longer than our few calls take.
    private static let tokenSeconds = "300"

    private let environment: AWSEnvironment
    private let fetch: CredentialFetch
    private let patience: Duration

    /// - Parameters:
    ///   - environment: `AWS_EC2_METADATA_DISABLED`, `AWS_EC2_METADATA_SERVICE_ENDPOINT` and `…_ENDPOINT_MODE` count.
    ///   - patience: how long a machine that is none of EC2 is kept waiting for a connection; twice as long for the first
    ///     answer.
    ///   - clock: for the waits between tries.
    ///   - random: their jitter.
    /// - Throws: if no connections can be made at all, for TLS files that can't be read.
    package init(
        _ environment: AWSEnvironment,
        patience: Duration = .seconds(1),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) throws(AWSProblem) {
        self.environment = environment
        self.patience = patience
        fetch = try CredentialFetch(patience: patience, clock: clock, random: random)
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? {
        guard !environment.flag("AWS_EC2_METADATA_DISABLED") else { return nil }
        let base = try endpoint().description
        guard let token = try await token(base) else { return nil }
        guard let role = try await get(base + Self.rolePath, token, "the list of roles") else { return nil }
        let name = role.text.split(whereSeparator: \.isNewline).first.map { String($0) } ?? ""
        guard !name.isEmpty else { return nil }
        let asked = "the instance metadata service, asked for the role \(name.prefix(64)),"
        guard let answer = try await get(base + Self.rolePath + Escaping.escaped(name), token, "the role's keys") else {
            throw AWSProblem("\(asked) does not know it", isTransient: true)
        }
        return try CredentialFetch.read(answer.body, from: asked)
    }

    private func endpoint() throws(AWSProblem) -> AWSEndpoint {
        let name = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        if let url = environment.variable(name) { return try AWSEndpoint(url, setting: name) }
        let mode = environment.variable("\(name)_MODE")?.lowercased() ?? "ipv4"
        switch mode {
        case "ipv4": return try AWSEndpoint("http://169.254.169.254", setting: name)
        case "ipv6": return try AWSEndpoint("http://[fd00:ec2::254]", setting: name)
        default: throw AWSProblem("\(name)_MODE is neither IPv4 nor IPv6")
        }
    }

    /// Nil if nobody answers: this is no instance of EC2.
    private func token(_ base: String) async throws(AWSProblem) -> String? {
        let headers = [(name: "X-aws-ec2-metadata-token-ttl-seconds", value: Self.tokenSeconds)]
        let call = HTTPCall(.put, "\(base)/latest/api/token", headers: headers, timeout: patience * 2)
        // A machine elsewhere would be kept waiting by more tries; an instance answers the first.
        let outcome = try await fetch.ask(call, triesMax: 1)
        switch outcome {
        case .failure: return nil
        case .success(let answer) where answer.status == 200 && !answer.body.isEmpty: return answer.text
        case .success: throw CredentialFetch.problem("the instance metadata service, asked for a token,", outcome)
        }
    }

    private func get(
        _ url: String,
        _ token: String,
        _ what: String
    ) async throws(AWSProblem) -> CredentialFetch.Answer? {
        let outcome = try await fetch.ask(HTTPCall(.get, url, headers: [("X-aws-ec2-metadata-token", token)]))
        guard case .success(let answer) = outcome else {
            throw CredentialFetch.problem("the instance metadata service, asked for \(what),", outcome)
        }
        if answer.status == 404 { return nil }
        guard answer.status == 200 else {
            throw CredentialFetch.problem("the instance metadata service, asked for \(what),", outcome)
        }
        return answer
    }
}
