// What a Job's Pod runs, read from its manifest as a node reads it.
import SluiceCore

/// The first container of a Job's Pod, and what the Job wants of its tries.
struct KubernetesPod: Sendable {
    let key: KubernetesStore.Key
    let uid: String
    let words: [String]
    let environment: [String: String]
    /// The first variable whose Secret or value there isn't; the container waits for it.
    let missingSecret: String?
    let backoffLimit: Int
    let activeDeadline: Duration?
    let timeToLive: Duration?
    let grace: Duration
    private let failingStatuses: Set<Int>

    /// Nil if it is no Job that can run.
    init?(_ job: JSONValue, secrets: [String: [String: String]]) {
        guard let metadata = job["metadata"], let name = metadata["name"]?.stringValue,
            let namespace = metadata["namespace"]?.stringValue, let uid = metadata["uid"]?.stringValue,
            let spec = job["spec"], let pod = spec["template"]?["spec"],
            let container = pod["containers"]?.arrayValue?.first
        else { return nil }
        key = KubernetesStore.Key(namespace: namespace, name: name)
        self.uid = uid
        var environment: [String: String] = [:]
        var missing: String?
        for variable in container["env"]?.arrayValue ?? [] {
            guard let name = variable["name"]?.stringValue else { continue }
            if let reference = variable["valueFrom"]?["secretKeyRef"] {
                let secret = secrets[reference["name"]?.stringValue ?? ""]
                let value = secret?[reference["key"]?.stringValue ?? ""]
                environment[name] = value
                if value == nil, reference["optional"]?.boolValue != true { missing = missing ?? name }
            } else {
                environment[name] = Self.expanded(variable["value"]?.stringValue ?? "", environment)
            }
        }
        self.environment = environment
        missingSecret = missing
        let parts = [container["command"], container["args"]].flatMap { $0?.arrayValue ?? [] }
        words = parts.compactMap(\.stringValue).map { Self.expanded($0, environment) }
        guard !words.isEmpty else { return nil }
        backoffLimit = spec["backoffLimit"]?.intValue ?? 6
        activeDeadline = spec["activeDeadlineSeconds"]?.intValue.map { .seconds($0) }
        timeToLive = spec["ttlSecondsAfterFinished"]?.intValue.map { .seconds($0) }
        grace = .seconds(pod["terminationGracePeriodSeconds"]?.intValue ?? 30)
        let rules = spec["podFailurePolicy"]?["rules"]?.arrayValue ?? []
        failingStatuses = Set(
            rules.filter { $0["action"] == "FailJob" && $0["onExitCodes"]?["operator"] == "In" }
                .flatMap { $0["onExitCodes"]?["values"]?.arrayValue ?? [] }.compactMap(\.intValue)
        )
    }

    /// Whether the failure policy ends the Job at once with this exit status.
    func isFinal(_ status: Int32) -> Bool { failingStatuses.contains(Int(status)) }

    /// Puts in the variables that are named by `$(NAME)`; `$$` is a dollar, and an unknown name stays as it is.
    static func expanded(_ text: String, _ variables: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[..<end].dropFirst())
                result += variables[name] ?? "$(\(name))"
                rest = rest[end...].dropFirst()
            } else {
                result += "$"
            }
        }
        return result + rest
    }
}
