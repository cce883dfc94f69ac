// A Job as the API tells of it: whose it is, and where it stands.
package import SluiceCore

/// What became of a Job.
package enum KubernetesJobState: Sendable, Hashable {
    /// Neither `Complete` nor `Failed`: it runs, or waits to be tried again.
    case running
    /// It has a Pod, and none that is up: there is no room for it, or its image or a Secret can't be had.
    case waiting
    case succeeded
    /// The reason and message of its condition, such as `BackoffLimitExceeded`.
    case failed(reason: String)
    /// There is no Job of that name.
    case missing
}

/// One Job of ours.
package struct KubernetesJob: Sendable, Hashable {
    package let name: String
    /// Another one under the same name has another.
    package let uid: String
    /// Changes whenever the Job does.
    package let version: String
    /// What it runs; nil if its annotations were changed by somebody.
    package let launch: Launch?
    package let state: KubernetesJobState

    /// Nil if it is no Job.
    init?(_ object: JSONValue) {
        guard let metadata = object["metadata"], let name = metadata["name"]?.stringValue,
            let uid = metadata["uid"]?.stringValue, let version = metadata["resourceVersion"]?.stringValue
        else { return nil }
        self.name = name
        self.uid = uid
        self.version = version
        launch = KubernetesLabels.launch(of: metadata["annotations"])
        state = Self.state(object["status"])
    }

    /// Only the last two of a Job's conditions are ends; `FailureTarget` and `SuccessCriteriaMet` come before its Pods ended.
    private static func state(_ status: JSONValue?) -> KubernetesJobState {
        for condition in status?["conditions"]?.arrayValue ?? [] where condition["status"]?.stringValue == "True" {
            switch condition["type"]?.stringValue {
            case "Complete": return .succeeded
            case "Failed":
                let words = [condition["reason"]?.stringValue, condition["message"]?.stringValue]
                let said = words.compactMap { $0 }.filter { !$0.isEmpty }
                return .failed(reason: said.isEmpty ? "the cluster gives no reason" : said.joined(separator: ": "))
            default: continue
            }
        }
        // Ours are ready as soon as they are up. Clusters before 1.24 don't tell.
        let isWaiting = (status?["active"]?.intValue ?? 0) > 0 && status?["ready"]?.intValue == 0
        return isWaiting ? .waiting : .running
    }
}

/// What happened to a Job of ours.
package enum KubernetesJobChange: Sendable, Hashable {
    /// It was there from the beginning, is new, or has changed.
    case present(KubernetesJob)
    /// It is gone, as it was last known: removed by somebody, or tidied away after its end.
    case vanished(KubernetesJob)
}
