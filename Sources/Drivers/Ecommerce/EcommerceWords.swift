// What a server says went wrong, wherever in its answer it says so.
import SluiceCore

/// Finds words for a person.
enum EcommerceWords {
    private static let lengthMax = 300

    /// The message in an answer's body; if it is no JSON, its beginning; nil if it is empty.
    static func said(in body: [UInt8]) -> String? {
        guard !body.isEmpty else { return nil }
        if let value = try? JSONValue.parse(body), let text = text(of: value) { return text }
        return shortened(String(decoding: body.prefix(lengthMax * 4), as: UTF8.self))
    }

    /// The first of `message`, `error` and `detail` that says something, looked for inside each other too.
    static func text(of value: JSONValue, depth: Int = 0) -> String? {
        switch value {
        case .string(let text):
            return text.isEmpty ? nil : shortened(text)
        case .object where depth < 4:
            for name in ["message", "error", "detail", "msg"] {
                if let inner = value[name], let text = text(of: inner, depth: depth + 1) { return text }
            }
            return nil
        case .array(let elements) where depth < 4:
            let texts = elements.prefix(3).compactMap { text(of: $0, depth: depth + 1) }
            return texts.isEmpty ? nil : shortened(texts.joined(separator: "; "))
        default:
            return nil
        }
    }

    /// One line of bounded length.
    private static func shortened(_ text: String) -> String {
        let line = String(text.prefix(lengthMax).map { $0.isNewline ? " " : $0 })
        return text.count > lengthMax ? line + "…" : line
    }
}
