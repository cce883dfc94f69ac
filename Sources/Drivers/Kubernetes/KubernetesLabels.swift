// Labels that Kubernetes takes: what they say of a launch, and how we find ours.
import SluiceCore

/// The labels of our Jobs.
enum KubernetesLabels {
    /// Chooses our Jobs among all of a namespace.
    static let selector = "app.kubernetes.io/managed-by=sluice,app.kubernetes.io/component=extraction"

    static func labels(of launch: Launch) -> [(name: String, value: String)] {
        [
            ("app.kubernetes.io/name", "sluice"),
            ("app.kubernetes.io/managed-by", "sluice"),
            ("app.kubernetes.io/component", "extraction"),
            ("sluice/job", value(launch.job.id.text)),
            ("sluice/launch", value("\(launch.number)")),
            ("sluice/account", value(launch.job.systemAccountID)),
        ]
    }

    /// The exact texts, of which labels may hold only what is left of them.
    static func annotations(of launch: Launch) -> [(name: String, value: String)] {
        [
            ("sluice/job", launch.job.id.text),
            ("sluice/launch", "\(launch.number)"),
            ("sluice/account", launch.job.systemAccountID),
            ("sluice/index", launch.job.indexName),
        ]
    }

    /// The launch that annotations tell of; nil if they are not ours, or were changed.
    static func launch(of annotations: JSONValue?) -> Launch? {
        guard let annotations, let number = annotations["sluice/launch"]?.stringValue.flatMap({ Int($0) }),
            let account = annotations["sluice/account"]?.stringValue,
            let index = annotations["sluice/index"]?.stringValue,
            let id = annotations["sluice/job"]?.stringValue.flatMap({ try? JobID($0) })
        else { return nil }
        return Launch(job: JobKey(systemAccountID: account, indexName: index, id: id), number: number)
    }

    private static let valueMax = 63

    /// A text as a label's value.
    ///
    /// What is no value as it is loses what may not be in one, and gains a digest of the whole text, so that two texts do not
    /// become one value.
    static func value(_ text: String) -> String {
        if isValue(text) { return text }
        let allowed = text.utf8.map { isMiddle($0) ? $0 : UInt8(ascii: "-") }
        let digest = digest(text)
        let kept = trimmed(trimmed(allowed[...]).prefix(valueMax - digest.utf8.count - 1))
        return kept.isEmpty ? digest : "\(String(decoding: kept, as: UTF8.self))-\(digest)"
    }

    /// Whether Kubernetes takes it as a label's value.
    static func isValue(_ text: String) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, let last = bytes.last else { return true }
        return bytes.count <= valueMax && isEnd(first) && isEnd(last) && bytes.allSatisfy { isMiddle($0) }
    }

    /// Whether Kubernetes takes it as a label's name: a DNS subdomain before a slash, if any, and a word.
    static func isName(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let word = parts.last, !word.isEmpty, isValue(String(word)), parts.count <= 2 else { return false }
        guard parts.count == 2 else { return true }
        return parts[0].utf8.count <= 253
            && parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isDNSLabel(String($0)) }
    }

    /// Lower-case letters, digits and inner hyphens, 63 at most: what namespaces and Jobs may be called.
    static func isDNSLabel(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= valueMax else { return false }
        let isLower = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (48...57).contains(byte)
                || byte == UInt8(ascii: "-")
        }
        return isLower && isEnd(first) && isEnd(last)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let first = bytes.firstIndex(where: { isEnd($0) }), let last = bytes.lastIndex(where: { isEnd($0) })
        else {
            return []
        }
        return bytes[first...last]
    }

    private static func isEnd(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static func isMiddle(_ byte: UInt8) -> Bool {
        isEnd(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }

    /// FNV-1a, 64 bits, in sixteen digits.
    private static func digest(_ text: String) -> String {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
