// Credentials of a profile: keys, or a role taken on from another profile or a token.
package import SluiceCore

/// What the profile in use says of credentials.
///
/// Profiles that need a browser, a device or another program are refused by name, never passed over.
package struct ProfileCredentials: CredentialProvider {
    package let name = "profile"
    private let settings: AWSSettings
    private let places: @Sendable (String) throws(AWSProblem) -> (any CredentialProvider)?
    private let random: any RandomSource
    private let sts: STSMaker

    /// What only others can do, by the names that ask for it.
    private static let refused = [
        ("credential_process", "a program that gives credentials"), ("sso_session", "IAM Identity Center"),
        ("sso_start_url", "IAM Identity Center"), ("login_session", "a login of the AWS CLI"),
    ]

    /// - Parameters:
    ///   - settings: the profiles, and which one is in use.
    ///   - random: names sessions.
    ///   - places: gives the place that a `credential_source` names.
    ///   - sts: takes on roles.
    package init(
        _ settings: AWSSettings,
        random: any RandomSource,
        places: @escaping @Sendable (String) throws(AWSProblem) -> (any CredentialProvider)?,
        sts: @escaping STSMaker
    ) {
        self.settings = settings
        self.random = random
        self.places = places
        self.sts = sts
    }

    package func credentials() async throws(AWSProblem) -> AWSCredentials? {
        guard let place = try place(settings.profileName ?? "default", seen: []) else { return nil }
        return try await place.credentials()
    }

    private func place(_ profile: String, seen: [String]) throws(AWSProblem) -> (any CredentialProvider)? {
        guard let values = settings.profiles.profile(profile) else {
            if seen.isEmpty { return nil }
            throw AWSProblem("there is no profile \(profile), which is a source_profile")
        }
        // A profile may be its own source: its keys take on its role.
        if let arn = values["role_arn"], seen.last != profile {
            guard !seen.contains(profile) else {
                throw AWSProblem("the profiles \(seen.joined(separator: ", ")) are each other's source_profile")
            }
            return try role(arn, values, profile, seen: seen + [profile])
        }
        if let keys = try Self.keys(values, profile) { return FixedCredentials(keys) }
        for (name, what) in Self.refused where values[name] != nil {
            let others = "use keys, role_arn, or export AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
            throw AWSProblem("the profile \(profile) has \(name), and \(what) is not supported: \(others)")
        }
        if seen.isEmpty { return nil }
        throw AWSProblem("the profile \(profile), which is a source_profile, has no keys")
    }

    private static func keys(_ values: AWSProfiles.Values, _ profile: String) throws(AWSProblem) -> AWSCredentials? {
        guard let key = values["aws_access_key_id"], let secret = values["aws_secret_access_key"] else {
            for name in ["aws_access_key_id", "aws_secret_access_key"] where values[name] != nil {
                throw AWSProblem("the profile \(profile) has \(name) without its other half")
            }
            return nil
        }
        do {
            return try AWSCredentials(
                accessKeyID: key,
                secretAccessKey: secret,
                sessionToken: values["aws_session_token"]
            )
        } catch {
            throw AWSProblem("the profile \(profile): \(error)")
        }
    }

    private func role(
        _ arn: String,
        _ values: AWSProfiles.Values,
        _ profile: String,
        seen: [String]
    ) throws(AWSProblem) -> any CredentialProvider {
        guard values["mfa_serial"] == nil else {
            throw AWSProblem("the profile \(profile) has mfa_serial, and nobody is here to enter a code")
        }
        let session = values["role_session_name"] ?? "sluice-\(random.hexadecimal(12))"
        var role = STS.Role(arn: arn, sessionName: session, externalID: values["external_id"])
        if let text = values["duration_seconds"] {
            guard let seconds = Int(text), (900...43_200).contains(seconds) else {
                throw AWSProblem("duration_seconds of the profile \(profile) is not 900 to 43200")
            }
            role.seconds = seconds
        }
        if let file = values["web_identity_token_file"] {
            let setting = "web_identity_token_file"
            return WebIdentityCredentials(role, tokenFile: file, setting: setting, settings.environment, sts: sts)
        }
        let source: (any CredentialProvider)? =
            if let other = values["source_profile"] {
                try place(other, seen: seen)
            } else if let name = values["credential_source"] { try places(name) } else { nil }
        guard let source else {
            let names = "source_profile, credential_source (Environment, EcsContainer or Ec2InstanceMetadata)"
            throw AWSProblem("the profile \(profile) has role_arn, but none of \(names) and web_identity_token_file")
        }
        return AssumedRoleCredentials(name: name, role: role, source: source, sts: sts)
    }
}
