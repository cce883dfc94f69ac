// What the API checks of a Job whose fields it knows.
import SluiceCore

/// The values that a Job may have.
enum KubernetesRules {
    /// - Returns: the Job's name.
    /// - Throws: 400 if it is no Job of the namespace; 422 with all that is wrong with it.
    static func check(_ job: JSONObject, namespace: String) throws(KubernetesStatus) -> String {
        guard job["apiVersion"]?.stringValue == "batch/v1", job["kind"]?.stringValue == "Job" else {
            throw KubernetesStatus(400, "BadRequest", "the object in the data is no Job of batch/v1")
        }
        let metadata = job["metadata"]
        if let stated = metadata?["namespace"]?.stringValue, stated != namespace {
            let problem = "the namespace of the provided object does not match the namespace sent on the request"
            throw KubernetesStatus(400, "BadRequest", problem)
        }
        let name = metadata?["name"]?.stringValue ?? ""
        var problems: [String] = []
        if name.isEmpty {
            problems.append("metadata.name: Required value: name or generateName is required")
        } else if !isLabelName(name) {
            problems.append(#"metadata.name: Invalid value: "\#(name)": a lowercase RFC 1123 label is wanted"#)
        }
        problems += labels(metadata?["labels"], "metadata.labels")
        problems += spec(job["spec"])
        guard problems.isEmpty else { throw .invalid(name, problems) }
        return name
    }

    private static func labels(_ labels: JSONValue?, _ path: String) -> [String] {
        (labels?.objectValue?.members ?? []).flatMap { member -> [String] in
            var problems: [String] = []
            let parts = member.name.split(separator: "/", omittingEmptySubsequences: false)
            if parts.count > 2 || parts.last.map({ !isWord($0) }) ?? true {
                problems.append(#"\#(path): Invalid value: "\#(member.name)": a qualified name is wanted"#)
            }
            let value = member.value.stringValue ?? ""
            if !value.isEmpty, !isWord(value[...]) {
                problems.append(#"\#(path): Invalid value: "\#(value)": a valid label must be 63 letters or less"#)
            }
            return problems
        }
    }

    private static func spec(_ spec: JSONValue?) -> [String] {
        var problems: [String] = []
        for (field, least) in [
            ("parallelism", 0), ("completions", 0), ("backoffLimit", 0), ("ttlSecondsAfterFinished", 0),
            ("activeDeadlineSeconds", 0),
        ] {
            if let value = spec?[field]?.intValue, value < least {
                problems.append("spec.\(field): Invalid value: \(value): must be greater than or equal to \(least)")
            }
        }
        let pod = spec?["template"]?["spec"]
        problems += labels(spec?["template"]?["metadata"]?["labels"], "spec.template.metadata.labels")
        switch pod?["restartPolicy"]?.stringValue {
        case "Never": break
        case "OnFailure" where spec?["podFailurePolicy"] == nil: break
        case "OnFailure":
            problems.append(
                #"spec.template.spec.restartPolicy: Invalid value: "OnFailure": a failure policy wants Never"#
            )
        case let policy:
            let problem = policy.map { #"Unsupported value: "\#($0)""# } ?? "Required value"
            problems.append(#"spec.template.spec.restartPolicy: \#(problem): valid values: "OnFailure", "Never""#)
        }
        let containers = pod?["containers"]?.arrayValue ?? []
        if containers.isEmpty { problems.append("spec.template.spec.containers: Required value") }
        let volumes = Set((pod?["volumes"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue })
        for (place, container) in containers.enumerated() {
            problems += check(container, "spec.template.spec.containers[\(place)]", volumes)
        }
        return problems
    }

    private static func check(_ container: JSONValue, _ path: String, _ volumes: Set<String>) -> [String] {
        var problems: [String] = []
        let name = container["name"]?.stringValue ?? ""
        if !isLabelName(name) { problems.append(#"\#(path).name: Invalid value: "\#(name)""#) }
        if (container["image"]?.stringValue ?? "").isEmpty { problems.append("\(path).image: Required value") }
        for (place, variable) in (container["env"]?.arrayValue ?? []).enumerated() {
            if (variable["name"]?.stringValue ?? "").isEmpty {
                problems.append("\(path).env[\(place)].name: Required value")
            }
            if variable["value"] != nil, variable["valueFrom"] != nil {
                problems.append("\(path).env[\(place)].valueFrom: may not be specified when `value` is not empty")
            }
        }
        for (place, mount) in (container["volumeMounts"]?.arrayValue ?? []).enumerated() {
            let volume = mount["name"]?.stringValue ?? ""
            if !volumes.contains(volume) {
                problems.append(#"\#(path).volumeMounts[\#(place)].name: Not found: "\#(volume)""#)
            }
        }
        for part in ["requests", "limits"] {
            for member in container["resources"]?[part]?.objectValue?.members ?? []
            where !isQuantity(member.value.stringValue ?? "") {
                let problem = "\(path).resources.\(part)[\(member.name)]: Invalid value: quantities must match"
                problems.append(problem)
            }
        }
        return problems
    }

    private static func isQuantity(_ text: String) -> Bool {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let suffixes: Set<String> = ["", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"]
        return !digits.isEmpty && suffixes.contains(String(text.dropFirst(digits.count)))
    }

    private static func isLabelName(_ text: String) -> Bool {
        isWord(text[...]) && text.utf8.allSatisfy { !(65...90).contains($0) && $0 != 0x2E && $0 != 0x5F }
    }

    /// Letters, digits, and inside of them hyphens, underscores and dots.
    private static func isWord(_ text: Substring) -> Bool {
        func isEnd(_ byte: UInt8) -> Bool {
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 63 else { return false }
        return isEnd(first) && isEnd(last)
            && text.utf8.allSatisfy { isEnd($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x5F }
    }
}
