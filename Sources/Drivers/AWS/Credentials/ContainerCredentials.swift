// Credentials of a container: from ECS, or from EKS Pod Identity.
package import HTTPDriver
package import SluiceCore

/// The endpoint that `AWS_CONTAINER_CREDENTIALS_FULL_URI` or `…_RELATIVE_URI` names.
///
/// Its authorization is read anew each time, since the file's token changes.
package struct ContainerCredentials: CredentialProvider {
    package let name = "container"

    private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    private static let token = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    private static let tokenFile = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
    /// Where ECS and EKS answer over plain HTTP, inside the machine.
    private static let plainHosts: Set = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "::1"]

    private let environment: AWSEnvironment
    private let ecs: String
    private let fetch: CredentialFetch

    /// - Parameters:
    ///   - environment: names the endpoint and the authorization.
    ///   - ecs: what a relative URI is relative to.
    ///   - tls: whom to trust at an `https` endpoint.
    ///   - clock: for the waits between tries.
    ///   - random: their jitter.
    /// - Throws: if no connections can be made at all, for TLS files that can't be read.
    package init(
        _ environment: AWSEnvironment,
        ecs: String = "http://169.254.170.2",
        tls: HTTPOptions.TLS = HTTPOptions.TLS(),
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) throws(AWSProblem) {
        self.environment = environment
        self.ecs = ecs
        fetch = try CredentialFetch(patience: .seconds(2), tls: tls, clock: clock, random: random)
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? {
        guard let url = try url() else { return nil }
        var headers = [(name: "Accept", value: "application/json")]
        if let authorization = try authorization() { headers.append(("Authorization", authorization)) }
        let outcome = try await fetch.ask(HTTPCall(.get, url, headers: headers))
        guard case .success(let answer) = outcome, answer.status == 200 else {
            throw CredentialFetch.problem("the container's credential endpoint", outcome)
        }
        return try CredentialFetch.read(answer.body, from: "the container's credential endpoint")
    }

    private func url() throws(AWSProblem) -> String? {
        if let path = environment.variable(Self.relative) {
            guard path.hasPrefix("/"), !path.hasPrefix("//") else {
                throw AWSProblem("\(Self.relative) begins with no /")
            }
            return ecs + path
        }
        guard let url = environment.variable(Self.full) else { return nil }
        let place = String(url.prefix { $0 != "?" })
        let endpoint = try AWSEndpoint(place, setting: Self.full)
        guard endpoint.isEncrypted || Self.plainHosts.contains(endpoint.host) || Self.isLoopback(endpoint.host) else {
            throw AWSProblem(
                "\(Self.full) leads to \(endpoint.host) over plain http, where credentials would be readable"
            )
        }
        return url
    }

    private static func isLoopback(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private func authorization() throws(AWSProblem) -> String? {
        var text = environment.variable(Self.token)
        var name = Self.token
        if let path = environment.variable(Self.tokenFile) {
            name = Self.tokenFile
            text = try environment.secret(in: path, named: name)
        }
        guard let text else { return nil }
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw AWSProblem("\(name) holds a line end or another byte that no header may hold")
        }
        return text
    }
}
