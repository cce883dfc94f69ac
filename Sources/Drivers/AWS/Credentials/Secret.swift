// What nobody gets to see, not even in a service's words.

/// A text that is not shown, however it is printed.
struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// A service's words without the secrets, if it repeats them.
    static func redacted(_ words: String, _ secrets: [Secret]) -> String {
        var words = words
        for secret in secrets where !secret.text.isEmpty && words.contains(secret.text) {
            let parts = words.split(separator: secret.text, omittingEmptySubsequences: false)
            words = parts.joined(separator: "(secret)")
        }
        return words
    }

    var description: String { "(secret)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }
}
