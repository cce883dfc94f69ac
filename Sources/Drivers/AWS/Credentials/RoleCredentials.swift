// Credentials of a role that we take on.
package import SluiceCore

/// How STS is reached with given credentials; nil for the call that needs none.
package typealias STSMaker = @Sendable (AWSCredentials?) throws(AWSProblem) -> STS

/// A role that a token in a file lets us take on: what EKS gives to service accounts.
package struct WebIdentityCredentials: CredentialProvider {
    package let name: String
    private let role: STS.Role
    private let tokenFile: String
    private let setting: String
    private let environment: AWSEnvironment
    private let sts: STSMaker

    init(_ role: STS.Role, tokenFile: String, setting: String, _ environment: AWSEnvironment, sts: @escaping STSMaker) {
        name = "web identity"
        self.role = role
        self.tokenFile = tokenFile
        self.setting = setting
        self.environment = environment
        self.sts = sts
    }

    /// From `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`; nil if neither is set.
    ///
    /// - Throws: if only one of them is.
    package init?(
        _ environment: AWSEnvironment,
        random: any RandomSource,
        sts: @escaping STSMaker
    ) throws(AWSProblem) {
        let file = environment.variable("AWS_WEB_IDENTITY_TOKEN_FILE")
        // A role alone is used by other tools, for other ends.
        guard let file else { return nil }
        guard let arn = environment.variable("AWS_ROLE_ARN") else {
            throw AWSProblem("AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
        }
        let session = environment.variable("AWS_ROLE_SESSION_NAME") ?? "sluice-\(random.hexadecimal(12))"
        let role = STS.Role(arn: arn, sessionName: session)
        self.init(role, tokenFile: file, setting: "AWS_WEB_IDENTITY_TOKEN_FILE", environment, sts: sts)
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? {
        // Read each time: the token is replaced every hour or so.
        let token = try environment.secret(in: environment.expanded(tokenFile), named: setting)
        let sts = try sts(nil)
        do {
            return try await sts.assume(role, webIdentity: token)
        } catch {
            throw AWSProblem(error)
        }
    }
}

/// A role that other credentials let us take on.
struct AssumedRoleCredentials: CredentialProvider {
    let name: String
    let role: STS.Role
    let source: any CredentialProvider
    let sts: STSMaker

    func credentials() async throws(AWSProblem) -> AWSCredentials? {
        guard let credentials = try await source.credentials() else {
            throw AWSProblem("the credentials to take on \(role.arn) with are not there; looked in: \(source.name)")
        }
        let sts = try sts(credentials)
        do {
            return try await sts.assume(role)
        } catch {
            throw AWSProblem(error)
        }
    }
}

extension AWSProblem {
    /// What keeps STS from giving credentials.
    init(_ error: AWSError) {
        self.init(error.description, isTransient: error.isRetryable, isCancelled: error.kind == .cancelled)
    }
}
