// Where a cluster's API is, how to know it, and what to show it.
package import HTTPDriver
package import SluiceCore

/// The way to a Kubernetes API; on EKS a cluster's description and tokens by STS make one.
package struct KubernetesAccess: Sendable {
    /// `https://…` without a path; plain `http` is for tests.
    package let endpoint: String
    /// PEM text of the only authorities whose certificates are taken; nil for those of the system.
    package let authority: String?
    /// The header that says who we are.
    ///
    /// Asked before every request, so it had better be kept until it runs out. After an answer 401 it is asked for a renewed
    /// one, at most once a request: what was kept is no longer taken, whatever the clock says.
    package let token: @Sendable (_ renewed: Bool) async throws(PortError) -> HTTPSecretHeader

    /// - Throws: `JobError.field` if the endpoint is none.
    package init(
        endpoint: String,
        authority: String?,
        token: @escaping @Sendable (_ renewed: Bool) async throws(PortError) -> HTTPSecretHeader
    ) throws(JobError) {
        let schemes = ["https://", "http://"]
        let host = schemes.first { endpoint.hasPrefix($0) }.map { endpoint.dropFirst($0.count) }
        // It might hold a password, so it is not repeated.
        guard let host, !host.isEmpty, host.first != "/", !host.contains(where: { "@?# ".contains($0) }) else {
            let problem = "must be a URL such as https://host:port, without a user name, a query or a fragment"
            throw .field("kubernetes.endpoint", problem)
        }
        self.endpoint = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        self.authority = authority
        self.token = token
    }
}
