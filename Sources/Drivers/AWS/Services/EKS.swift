// The Elastic Kubernetes Service: where a cluster's API is, and how to know it.
internal import HTTPDriver
internal import SluiceCore

/// EKS by its REST protocol.
package struct EKS: Sendable {
    /// A cluster's API.
    package struct Cluster: Sendable, Equatable {
        package let name: String
        /// `ACTIVE`, `CREATING`, ….
        package let status: String
        /// An HTTPS URL.
        package let endpoint: String
        /// PEM text of the authority that the API's certificate comes from, and no other may.
        package let authority: String
    }

    private let client: AWSClient

    package init(_ client: AWSClient) {
        self.client = client
    }

    /// Where a cluster is.
    ///
    /// - Throws: a `ResourceNotFoundException` if there is none; `.invalidAnswer` if it has no API yet.
    package func describe(_ name: String) async throws(AWSError) -> Cluster {
        let operation = "DescribeCluster"
        let call = AWSCall(operation, .get, path: "/clusters/\(Escaping.escaped(name))")
        guard let cluster = try await client.object(call)["cluster"], let status = cluster["status"]?.stringValue else {
            throw client.senseless(operation, "the answer holds no cluster with a status")
        }
        guard let endpoint = cluster["endpoint"]?.stringValue, endpoint.hasPrefix("https://"),
            let data = cluster["certificateAuthority"]?["data"]?.stringValue,
            let authority = Base64.decode(Array(data.utf8)), !authority.isEmpty
        else {
            throw client.senseless(operation, "the cluster is \(status) and has no endpoint or authority")
        }
        return Cluster(
            name: name,
            status: status,
            endpoint: endpoint,
            authority: String(decoding: authority, as: UTF8.self)
        )
    }
}
