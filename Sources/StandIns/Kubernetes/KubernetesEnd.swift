// How a Job ended, as its status says it.
import SluiceCore

/// How a Job ended.
struct KubernetesEnd {
    enum Kind {
        case succeeded, deadline, limit
        case policy(Int32)
    }

    private let kind: Kind
    private let failures: Int

    init(_ kind: Kind, _ failures: Int) {
        self.kind = kind
        self.failures = failures
    }

    func write(into status: inout JSONObject, at time: String) {
        let (type, reason, message) =
            switch kind {
            case .succeeded: ("Complete", "CompletionsReached", "Reached expected number of succeeded pods")
            case .deadline: ("Failed", "DeadlineExceeded", "Job was active longer than specified deadline")
            case .limit: ("Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
            case .policy(let code):
                ("Failed", "PodFailurePolicy", "Container failed with exit code \(code) matching FailJob rule")
            }
        let condition: JSONValue = [
            "type": .string(type), "status": "True", "reason": .string(reason), "message": .string(message),
            "lastTransitionTime": .string(time),
        ]
        status["active"] = nil
        status["ready"] = nil
        if failures > 0 { status["failed"] = .number(JSONNumber(failures)) }
        if case .succeeded = kind {
            status["succeeded"] = 1
            status["completionTime"] = .string(time)
        }
        status["conditions"] = [condition]
    }
}
