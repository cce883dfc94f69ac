// What is known of our Jobs while they are followed: a decision without a conversation.
import SluiceCore

/// Our Jobs by name, and the moment from which a watch goes on.
struct JobView {
    private(set) var known: [String: KubernetesJob] = [:]
    /// The `resourceVersion` behind which nothing has been told yet; nil if all Jobs have to be listed first.
    private(set) var version: String?

    /// One line of a watch.
    enum Event {
        case present(KubernetesJob)
        case deleted(KubernetesJob)
        /// Nothing happened to our Jobs until then.
        case bookmark(version: String)
        case refusal(KubernetesRefusal)

        /// Nil for what is no event.
        init?(_ line: JSONValue) {
            guard let object = line["object"] else { return nil }
            switch line["type"]?.stringValue {
            case "ADDED", "MODIFIED":
                guard let job = KubernetesJob(object) else { return nil }
                self = .present(job)
            case "DELETED":
                guard let job = KubernetesJob(object) else { return nil }
                self = .deleted(job)
            case "BOOKMARK":
                guard let version = object["metadata"]?["resourceVersion"]?.stringValue else { return nil }
                self = .bookmark(version: version)
            case "ERROR":
                self = .refusal(KubernetesRefusal(status: object["code"]?.intValue ?? 500, body: object))
            default: return nil
            }
        }
    }

    /// Takes all Jobs that there are now.
    ///
    /// - Returns: What changed since, without what was known already; a Job that nobody saw going is among it.
    mutating func list(_ jobs: [KubernetesJob], version: String) -> [KubernetesJobChange] {
        let listed = Dictionary(jobs.map { ($0.name, $0) }) { _, last in last }
        let vanished = known.values.filter { listed[$0.name]?.uid != $0.uid }.sorted { $0.name < $1.name }
        let changed = jobs.filter { known[$0.name] != $0 }
        known = listed
        self.version = version
        return vanished.map { .vanished($0) } + changed.map { .present($0) }
    }

    /// Takes an event; nil if it tells nothing new.
    mutating func take(_ event: Event) -> KubernetesJobChange? {
        switch event {
        case .present(let job):
            version = job.version
            guard known.updateValue(job, forKey: job.name) != job else { return nil }
            return .present(job)
        case .deleted(let job):
            version = job.version
            known[job.name] = nil
            return .vanished(job)
        case .bookmark(let version):
            self.version = version
            return nil
        case .refusal:
            return nil
        }
    }

    /// The server has forgotten what happened since; only a new list tells.
    mutating func forgetVersion() {
        version = nil
    }
}
