// How tests talk to the stand-in of Kubernetes.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

/// One request at a time, and Jobs to make.
struct KubernetesTalk {
    private let talk: EcommerceTalk
    static let base = "/apis/batch/v1/namespaces/n/jobs"

    static func with(
        _ standIn: KubernetesStandIn = KubernetesStandIn(clock: ManualClock()),
        _ body: (KubernetesStandIn, KubernetesTalk) async throws -> Void
    ) async throws {
        try await withServer(standIn) { url in
            try await body(standIn, KubernetesTalk(talk: EcommerceTalk(url)))
        }
    }

    func ask(
        _ method: String,
        _ path: String = "",
        _ body: JSONValue? = nil,
        token: String? = nil
    ) async throws -> EcommerceTalk.Answer {
        let header = token.map { "Authorization: Bearer \($0)" }
        return try await talk.ask(method, Self.base + path, body.map { "\($0)" } ?? "", key: header)
    }

    func create(_ job: JSONValue, strictly: Bool = true) async throws -> EcommerceTalk.Answer {
        try await ask("POST", strictly ? "?fieldValidation=Strict" : "", job)
    }

    /// The events of a watch that has ended: type and name of each.
    func watch(_ query: String) async throws -> [String] {
        // Each event is a chunk of its own, and stands on a line between those that say how long the chunks are.
        try await ask("GET", "?watch=true&\(query)").body.split(separator: "\r\n").flatMap { $0.split(separator: "\n") }
            .compactMap { line in
                guard line.hasPrefix("{"), let event = try? JSONValue.parse(String(line)) else { return nil }
                let object = event["object"]
                let what = object?["metadata"]?["name"]?.stringValue ?? object?["code"].map { "\($0)" } ?? ""
                return "\(event["type"]?.stringValue ?? "?") \(what)"
            }
    }

    /// A Job as small as the API takes it.
    static func job(_ name: String = "j", _ command: [String] = ["true"], spec: JSONObject = [:]) -> JSONValue {
        var whole: JSONObject = spec
        let container: JSONValue = [
            "name": "c", "image": "i", "command": .array(command.map { .string($0) }),
        ]
        whole["template"] =
            spec["template"] ?? ["spec": ["restartPolicy": "Never", "containers": [container]]]
        return [
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": ["name": .string(name), "labels": ["app": "a"]], "spec": .object(whole),
        ]
    }
}

extension JSONValue {
    /// The value with another one at a path.
    func setting(_ path: [String], _ value: JSONValue?) -> JSONValue {
        guard let first = path.first else { return value ?? nil }
        if let place = Int(first), var elements = arrayValue {
            elements[place] = elements[place].setting(Array(path.dropFirst()), value)
            return .array(elements)
        }
        var object = objectValue ?? [:]
        if path.count == 1 {
            object[first] = value
        } else {
            object[first] = (object[first] ?? [:]).setting(Array(path.dropFirst()), value)
        }
        return .object(object)
    }
}
