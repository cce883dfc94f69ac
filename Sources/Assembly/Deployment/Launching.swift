// Where extractions are started for those who don't run them.
import AWSDriver
import HTTPDriver
import KubernetesDriver
import Logging
package import SluiceCore
import SluiceEngine
import Synchronization

extension Deployment {
    /// What launches extractions in a cluster; nil if none is set, for then workers extract by themselves.
    ///
    /// - Parameter environment: what extractions are given of it: where they work, and on what.
    /// - Returns: a launcher that has asked nobody anything yet, but for the cluster's address.
    /// - Throws: `JobError.field` naming the setting that is missing or wrong, or why the cluster can't be found.
    package func launcher(environment: [String: String]) async throws -> (any Launcher)? {
        let wanted = settings.kubernetes
        guard let cluster = wanted.cluster, let aws = (platform as? AWSPlatform)?.aws else { return nil }
        guard let image = wanted.image else {
            throw JobError.field("kubernetes.image", "is missing; name the image that extractions run")
        }
        let namespace = wanted.namespace ?? ""
        var spec = KubernetesJobSpec(namespace: namespace, image: image)
        spec.environment = Self.inherited(environment)
        spec.serviceAccount = wanted.serviceAccount
        spec.resources.cpuRequest = wanted.cpu ?? spec.resources.cpuRequest
        spec.resources.memoryRequest = wanted.memory ?? spec.resources.memoryRequest
        spec.resources.memoryLimit = wanted.memory ?? spec.resources.memoryLimit
        spec.activeDeadlineSeconds = wanted.deadline
        let tokens = ClusterTokens(aws, cluster: cluster, clock: context.clock)
        let place = try await Self.place(wanted, cluster, aws)
        let access = try KubernetesAccess(endpoint: place.endpoint, authority: place.authority) {
            renewed throws(PortError) in
            try await tokens.header(renewed: renewed)
        }
        let logger = context.logger
        let jobs = try KubernetesJobs(access, namespace: namespace, clock: context.clock) { logger.notice("\($0)") }
        return try KubernetesLauncher(jobs, spec)
    }

    private static func place(
        _ wanted: KubernetesSettings,
        _ cluster: String,
        _ aws: AWSBackend
    ) async throws(PortError) -> (endpoint: String, authority: String?) {
        if let url = wanted.url { return (url, nil) }
        let found = try await aws.cluster(cluster)
        return (found.endpoint, found.authority)
    }

    /// Settings that are no secrets and that reading a source needs, and where AWS is; who an extraction is there, its service account says.
    private static func inherited(_ environment: [String: String]) -> [KubernetesJobSpec.Variable] {
        let names = environment.keys.filter { name in
            let isElsewhere = ["SLUICE_KUBERNETES_", "SLUICE_ECOMMERCE_"].contains { name.hasPrefix($0) }
            let isOurs = name.hasPrefix("SLUICE_") && !isElsewhere && !isSecret(name)
            return isOurs || name == "AWS_REGION" || name.hasPrefix("AWS_ENDPOINT_URL")
        }
        return names.sorted().map { KubernetesJobSpec.Variable($0, environment[$0] ?? "") }
    }

    private static func isSecret(_ name: String) -> Bool {
        SettingKey.all.contains { $0.isSecret && SettingKey.environmentName(of: $0.name) == name }
    }
}

/// Tokens of one cluster, each kept until it runs out.
private final class ClusterTokens: Sendable {
    private let aws: AWSBackend
    private let cluster: String
    private let clock: any Timekeeping
    private let kept = Mutex<EKSToken?>(nil)

    init(_ aws: AWSBackend, cluster: String, clock: any Timekeeping) {
        self.aws = aws
        self.cluster = cluster
        self.clock = clock
    }

    func header(renewed: Bool) async throws(PortError) -> HTTPSecretHeader {
        let now = clock.now
        if !renewed, let token = kept.withLock({ $0 }), now < token.expires { return token.header }
        let token = try await aws.token(of: cluster)
        kept.withLock { $0 = token }
        return token.header
    }
}
