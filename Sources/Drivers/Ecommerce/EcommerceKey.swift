// The key of the Ecommerce API, which nobody gets to see.
import HTTPDriver
package import SluiceCore

/// An API key; however it is printed, its text is not.
package struct EcommerceKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How the key is shown to the server.
    package enum Header: String, Sendable, CaseIterable {
        /// `Authorization: Bearer …`
        case bearer = "bearer"
        /// `X-API-Key: …`
        case apiKey = "x-api-key"
    }

    private let text: String

    /// - Throws: `JobError.field` with the setting's name if no header can hold the text.
    package init(_ text: String, field: String) throws(JobError) {
        guard !text.isEmpty else { throw .field(field, "is empty; give the key, or leave the setting out") }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .field(field, "holds a space, a line end or another byte that no key has; look for one at its end")
        }
        self.text = text
    }

    func secret(_ header: Header) -> HTTPSecretHeader {
        switch header {
        case .bearer: HTTPSecretHeader(name: "Authorization", value: "Bearer \(text)")
        case .apiKey: HTTPSecretHeader(name: "X-API-Key", value: text)
        }
    }

    /// A server's words without the key, if it repeats it.
    func redacted(_ words: String) -> String {
        words.split(separator: text, omittingEmptySubsequences: false).joined(separator: "(key)")
    }

    package var description: String { "(key)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
