// Where extractions run if they don't run in workers.

/// A cluster, and what extractions are like in it.
package struct KubernetesSettings: Sendable, Hashable {
    /// The name of an EKS cluster; nil if extractions run in workers.
    package var cluster: String?
    /// The cluster's API, if EKS is not to be asked for it.
    package var url: String?
    package var namespace: String? = "sluice"
    package var image: String?
    package var serviceAccount: String?
    package var cpu: String? = "1"
    package var memory: String? = "512Mi"
    /// After so many seconds the cluster ends an extraction.
    package var deadline = 86_400

    package init() {}
}
