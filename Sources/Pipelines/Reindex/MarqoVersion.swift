// Which kind of index a Marqo version makes.
package import SluiceCore

/// A version of Marqo, as far as it matters here: its first two numbers.
package struct MarqoVersion: Sendable, Comparable {
    private let major: Int
    private let minor: Int

    /// Reads `2.16` or `2.16.0`.
    package init?(_ text: String) {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count >= 2, let major = numbers[0], let minor = numbers[1] else { return nil }
        self.major = major
        self.minor = minor
    }

    package static func < (left: MarqoVersion, right: MarqoVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    /// The kind that an index is, given how its owner calls it and which version made it.
    ///
    /// Owners say "unstructured" of both kinds: from 2.13 on Marqo makes semi-structured indexes of them.
    ///
    /// - Throws: `JobError.field` if the version can't be read or belongs to another kind.
    package static func kind(_ kind: IndexKind, version text: String?) throws(JobError) -> IndexKind {
        guard let text else { return kind }
        guard let version = MarqoVersion(text) else {
            throw .field("marqo-version", "\"\(text)\" is no version; write one such as 2.16.0")
        }
        let isSemiStructured = MarqoVersion("2.13").map { version >= $0 } ?? false
        switch kind {
        case .structured: return kind
        case .unstructured: return isSemiStructured ? .semiStructured : kind
        case .semiStructured:
            guard isSemiStructured else {
                throw .field(
                    "marqo-version",
                    "is \(text), but semi-structured indexes are made from 2.13 on; say --type unstructured"
                )
            }
            return kind
        }
    }
}
