// The places that AWS's own tools look in, in their order.
package import HTTPDriver
package import SluiceCore

extension CredentialChain {
    /// Environment, web identity, profile, container, instance metadata.
    ///
    /// A profile that the caller named comes first: the environment's keys may be what it takes on its role with.
    ///
    /// - Parameters:
    ///   - settings: variables, files and the profile in use.
    ///   - peer: the connections to STS.
    ///   - clock: the time of signatures and waits.
    ///   - random: jitter and names of sessions.
    /// - Returns: a chain that is asked through `RenewingCredentials`.
    /// - Throws: what is wrong with the settings of one of the places.
    package static func standard(
        _ settings: AWSSettings,
        peer: HTTPPeer,
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource()
    ) throws(AWSProblem) -> CredentialChain {
        let environment = settings.environment
        let sts: STSMaker = { credentials throws(AWSProblem) in
            let places = CredentialChain(credentials.map { [FixedCredentials($0)] } ?? [])
            let client = AWSClient(
                .sts,
                region: try settings.region(),
                endpoint: try settings.endpoint(of: .sts),
                credentials: RenewingCredentials(places, clock: clock),
                peer: peer,
                clock: clock,
                random: random
            )
            return STS(client)
        }
        let container = try ContainerCredentials(environment, clock: clock, random: random)
        let instance = try InstanceCredentials(environment, clock: clock, random: random)
        let profile = ProfileCredentials(
            settings,
            random: random,
            places: { name in
                switch name {
                case "Environment": EnvironmentCredentials(environment)
                case "EcsContainer": container
                case "Ec2InstanceMetadata": instance
                default: nil
                }
            },
            sts: sts
        )
        var places: [any CredentialProvider] = [EnvironmentCredentials(environment)]
        if let web = try WebIdentityCredentials(environment, random: random, sts: sts) { places.append(web) }
        places = settings.isProfileGiven ? [profile] + places : places + [profile]
        return CredentialChain(places + [container, instance])
    }
}
