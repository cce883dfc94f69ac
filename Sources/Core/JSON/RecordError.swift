// Why bytes are not the record they should be.

/// Why a text was refused: a code to act on, the place, and plain words made only when someone reads them.
public struct RecordError: Error, Equatable, Sendable, CustomStringConvertible {
    @nonexhaustive public enum Code: String, Sendable, CaseIterable {
        /// The text ends before the value does.
        case truncated
        /// A byte that cannot stand here: grammar, a misspelt literal, a malformed number.
        case unexpectedByte
        /// A number with a leading zero, or without digits where digits must be.
        case invalidNumber
        /// A raw control character inside a string.
        case controlCharacter
        /// A backslash before something that is no escape.
        case invalidEscape
        /// A `\u` escape of half a surrogate pair.
        case loneSurrogate
        /// Bytes that are not UTF-8.
        case invalidUTF8
        /// Deeper than `JSONLimit.depthMax`.
        case tooDeep
        /// Something other than whitespace after the value.
        case trailingBytes
        /// A record must be an object.
        case notAnObject
        /// The record has no id field.
        case missingID
        /// The id is neither a string nor an integer.
        case invalidID
        /// The id is an empty string.
        case emptyID
        /// The id field stands more than once.
        case duplicateID
        /// The batch holds as many bytes as its entries can point into.
        case batchFull
    }

    public let code: Code
    /// Bytes from the start of the record (or text) to where it went wrong.
    public let offset: Int
    /// The id field that was looked for, where the error is about the id.
    public let field: String?

    public init(_ code: Code, at offset: Int, field: String? = nil) {
        self.code = code
        self.offset = offset
        self.field = field
    }

    public var message: String {
        let id = "id field \"\(field ?? "_id")\""
        return switch code {
        case .truncated: "the text ends before its value does"
        case .unexpectedByte: "this byte cannot stand here"
        case .invalidNumber: "this is not a JSON number"
        case .controlCharacter: "a string holds a control character that must be escaped"
        case .invalidEscape: "a backslash is followed by something that is no escape"
        case .loneSurrogate: "a \\u escape is half of a surrogate pair"
        case .invalidUTF8: "the bytes are not UTF-8"
        case .tooDeep: "objects and arrays stand more than \(JSONLimit.depthMax) deep, which readers refuse to follow"
        case .trailingBytes: "something follows the value"
        case .notAnObject: "a record must be a JSON object"
        case .missingID: "the record has no \(id)"
        case .invalidID: "the \(id) must be a non-empty string or an integer"
        case .emptyID: "the \(id) is an empty string"
        case .duplicateID: "the record has more than one \(id)"
        case .batchFull:
            "the batch is full: it holds at most \(JSONLimit.batchBytesMax) bytes, so that a place fits 32 bits"
        }
    }

    public var description: String { "\(message) (\(code.rawValue) at byte \(offset))" }
}
