// Region and endpoints, from the environment and the profile.

/// What the machine says of where AWS is for us.
package struct AWSSettings: Sendable {
    package let environment: AWSEnvironment
    package let profiles: AWSProfiles
    /// The profile in use; nil if none was named, which is `default` if there is one.
    package let profileName: String?
    /// Whether the caller named the profile, and not the environment.
    let isProfileGiven: Bool
    private let givenRegion: String?

    /// Reads the profile files.
    ///
    /// - Parameters:
    ///   - environment: variables and files.
    ///   - region: instead of the environment's.
    ///   - profile: instead of `AWS_PROFILE`; its credentials then count before the environment's.
    /// - Throws: which file is broken, or that the named profile is in none of them.
    package init(_ environment: AWSEnvironment, region: String? = nil, profile: String? = nil) throws(AWSProblem) {
        self.environment = environment
        givenRegion = region
        profiles = try AWSProfiles(environment)
        isProfileGiven = profile != nil
        profileName = profile ?? environment.variable("AWS_PROFILE")
        if let profileName, profileName != "default", profiles.profile(profileName) == nil {
            throw AWSProblem(
                "there is no profile \(profileName): check AWS_PROFILE, ~/.aws/config and ~/.aws/credentials"
            )
        }
        for name in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] where environment.flag(name) {
            throw AWSProblem("\(name) is not supported: unset it, and name the endpoint by AWS_ENDPOINT_URL")
        }
        for name in ["use_fips_endpoint", "use_dualstack_endpoint"] where values[name]?.lowercased() == "true" {
            throw AWSProblem("\(name) of the profile is not supported: name the endpoint by endpoint_url instead")
        }
    }

    var values: AWSProfiles.Values { profiles.profile(profileName ?? "default") ?? [:] }

    /// Where calls go unless a service has an endpoint of its own.
    package func region() throws(AWSProblem) -> String {
        let names = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        let found = givenRegion ?? names.lazy.compactMap { environment.variable($0) }.first ?? values["region"]
        guard let region = found, !region.isEmpty else {
            throw AWSProblem("no AWS region is set: set AWS_REGION, or region in the profile")
        }
        // It becomes part of a host name, and must not lead to another one.
        let isLabel = region.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
        guard isLabel, region.utf8.count <= 63, !region.hasPrefix("-"), !region.hasSuffix("-") else {
            throw AWSProblem("the AWS region is none: it has lower-case letters, digits and dashes, such as eu-west-1")
        }
        return region
    }

    /// `AWS_ENDPOINT_URL_SERVICE`, `AWS_ENDPOINT_URL`, the profile's, or AWS's own in the region; the first that is set.
    package func endpoint(of service: AWSService) throws(AWSProblem) -> AWSEndpoint {
        let isIgnored =
            environment.flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            || values["ignore_configured_endpoint_urls"]?.lowercased() == "true"
        if !isIgnored {
            for name in [service.endpointVariable, "AWS_ENDPOINT_URL"] {
                if let url = environment.variable(name) { return try AWSEndpoint(url, setting: name) }
            }
            let own = values["services"].flatMap { profiles.services($0) }?[service.section]?["endpoint_url"]
            if let url = own ?? values["endpoint_url"] {
                return try AWSEndpoint(url, setting: "endpoint_url of the profile")
            }
        }
        return try AWSEndpoint.regional(service, try region())
    }
}
