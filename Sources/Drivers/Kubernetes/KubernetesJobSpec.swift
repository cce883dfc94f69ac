// What the Jobs of extractions are like, the same for every launch.
import SluiceCore

/// The part of a Job that a deployment chooses.
package struct KubernetesJobSpec: Sendable, Equatable {
    /// A variable whose value the cluster keeps, and we never see.
    package struct SecretVariable: Sendable, Equatable {
        package var name: String
        /// The `Secret` in the Jobs' namespace, and which of its values.
        package var secret: String
        package var key: String

        package init(_ name: String, secret: String, key: String) {
            self.name = name
            self.secret = secret
            self.key = key
        }
    }

    package struct Variable: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Of processor and memory, as Kubernetes writes quantities: `500m`, `1Gi`.
    package struct Resources: Sendable, Equatable {
        package var cpuRequest = "1"
        /// Nil for none: an extraction that finds the machine idle may use it.
        package var cpuLimit: String?
        package var memoryRequest = "512Mi"
        package var memoryLimit = "512Mi"
        /// Of `/tmp`, the only place that can be written to.
        package var scratch = "1Gi"

        package init() {}
    }

    package var namespace: String
    package var image: String
    /// The program; the job's id and the launch follow behind `arguments`.
    package var command = ["sluice"]
    package var arguments = ["job", "extract"]
    /// Not for secrets: whoever may read Jobs reads them.
    package var environment: [Variable] = []
    package var secrets: [SecretVariable] = []
    /// What the Pods may do elsewhere; on EKS a Pod identity or a role hangs on it.
    package var serviceAccount: String?
    package var resources = Resources()
    /// How often a Pod that failed is replaced.
    package var backoffLimit = 3
    /// How long an ended Job can be looked at, in seconds.
    package var ttlSecondsAfterFinished = 3600
    /// How long a Job may take with all its Pods, in seconds; an extraction that is ended by it goes on with the next launch.
    package var activeDeadlineSeconds = 86_400
    /// From SIGTERM to SIGKILL; a checkpoint has to fit in.
    package var terminationGracePeriodSeconds = 60
    /// Beside ours.
    package var labels: [String: String] = [:]
    package var nodeSelector: [String: String] = [:]
    /// Such as `arm64`; nil for any that the image is made for.
    package var architecture: String?

    package init(namespace: String, image: String) {
        self.namespace = namespace
        self.image = image
    }

    /// - Throws: `JobError.field` naming what Kubernetes would refuse, or what should not be.
    func check() throws(JobError) {
        guard KubernetesLabels.isDNSLabel(namespace) else {
            throw .field("kubernetes.namespace", "\"\(namespace)\" is no namespace's name")
        }
        guard !image.isEmpty else { throw .field("kubernetes.image", "names no image") }
        guard !command.isEmpty else { throw .field("kubernetes.command", "names no program") }
        for (name, value, range) in [
            ("backoff-limit", backoffLimit, 0...100), ("ttl", ttlSecondsAfterFinished, 0...2_592_000),
            ("deadline", activeDeadlineSeconds, 60...31_536_000), ("grace", terminationGracePeriodSeconds, 30...3600),
        ] where !range.contains(value) {
            throw .field("kubernetes.\(name)", "must be \(range.lowerBound) to \(range.upperBound), is \(value)")
        }
        try checkVariables()
        for (name, value) in labels {
            guard KubernetesLabels.isName(name), KubernetesLabels.isValue(value) else {
                throw .field("kubernetes.labels", "\"\(name)=\(value)\" is no label of Kubernetes")
            }
            guard !name.hasPrefix("sluice/"), !name.hasPrefix("app.kubernetes.io/") else {
                throw .field("kubernetes.labels", "\"\(name)\" is ours; choose another name")
            }
        }
    }

    private func checkVariables() throws(JobError) {
        let names = environment.map(\.name) + secrets.map(\.name)
        guard Set(names).count == names.count else {
            throw .field("kubernetes.environment", "names a variable twice")
        }
        for name in names where name.isEmpty || name.contains("=") || name.contains("\0") {
            throw .field("kubernetes.environment", "\"\(name)\" is no variable's name")
        }
        for variable in environment where Self.isSecret(variable.name) {
            let problem = "\(variable.name) looks like a secret; name the Secret that holds it instead of its value"
            throw .field("kubernetes.environment", problem)
        }
    }

    private static func isSecret(_ name: String) -> Bool {
        let name = name.uppercased()
        // Where a key is kept, and not the key.
        if name.hasSuffix("_KEY_SECRET") { return false }
        return ["_API_KEY", "_SECRET", "_SECRET_ACCESS_KEY", "_TOKEN", "_PASSWORD", "_PRIVATE_KEY"]
            .contains { name.hasSuffix($0) }
    }
}
