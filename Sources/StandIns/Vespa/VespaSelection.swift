// Document selections, as far as the stand-in understands them.
import SluiceCore

/// A selection of documents: everything, nothing, one type, one id, one user, or one field that has one value.
///
/// Anything else is refused as a syntax error; it is never taken for `true`.
enum VespaSelection {
    case all
    case none
    case id(String)
    /// Documents with `n=<number>` in their ids. Vespa finds their buckets itself, and leaves slices out of account.
    case user(String)
    case field(String, JSONValue)

    init(_ text: String, schema: String) throws(VespaBadRequest) {
        let words = text.split { $0 == " " }.map(String.init)
        let problem = VespaBadRequest("Illegal document selection '\(text)'")
        if words.isEmpty || words == ["true"] || words == [schema] {
            self = .all
            return
        }
        if words == ["false"] {
            self = .none
            return
        }
        // "a == b", with or without the spaces.
        guard let operation = text.firstRange(of: "==") else { throw problem }
        let left = Self.trimmed(text[..<operation.lowerBound])
        let right = Self.trimmed(text[operation.upperBound...])
        guard let value = Self.literal(right) else { throw problem }
        switch (left, value) {
        case ("id", .string(let id)): self = .id(id)
        case ("id.user", .number(let number)): self = .user(number.text)
        default:
            guard left.hasPrefix("\(schema)."), left.utf8.dropFirst(schema.utf8.count + 1).allSatisfy(Self.isWordByte)
            else { throw problem }
            self = .field(String(left.dropFirst(schema.count + 1)), value)
        }
    }

    /// Whether slices divide what is visited.
    var isSliced: Bool {
        switch self {
        case .user, .id: false
        case .all, .none, .field: true
        }
    }

    func accepts(_ index: Int, of corpus: VespaCorpus, fields: () -> JSONValue) -> Bool {
        switch self {
        case .all: true
        case .none: false
        case .id(let id): corpus.id(of: index) == id
        case .user(let number): corpus.key(index).hasPrefix(":n=\(number):")
        case .field(let name, let value): fields()[name] == value
        }
    }

    private static func literal(_ text: Substring) -> JSONValue? {
        if let quote = text.first, quote == "\"" || quote == "'", text.count >= 2, text.last == quote {
            let inside = text.dropFirst().dropLast()
            return inside.contains(quote) || inside.contains("\\") ? nil : .string(String(inside))
        }
        guard case .number(let number)? = try? JSONValue.parse(String(text)) else { return nil }
        return .number(number)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || 48...57 ~= byte || byte == UInt8(ascii: "_")
    }
}
