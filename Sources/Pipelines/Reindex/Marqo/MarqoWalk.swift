// One document's way from Vespa's form to Marqo's: read once, then written.
import SluiceCore

/// The state of one pass over one document.
struct MarqoWalk {
    let grammar: JSONGrammar
    let plan: MarqoPlan.Tables
    var fields: MarqoFields
    /// How many bytes the document takes at most when it is written.
    var room = Self.frameBytes
    /// The value of `marqo__id`.
    var id: JSONGrammar.Text?
    /// The id that Vespa knows the document by.
    var documentID: JSONGrammar.Text?
    /// Where the document's own field types stand.
    var fieldTypes: Int?
    /// Whether numbers came after the types, so that the types have to be read once more.
    var typesAreStale = false
    /// How many names may be those of a map's entries.
    var pointed = 0
    /// Containers that have been read, a bit for each role.
    var read: UInt32 = 0
    /// Whether a value with inner structure is copied, which may hold line breaks.
    var copiesStructure = false
    /// Why the document can't be had, when it is not the text's fault.
    var refusal: String?
    /// Whether there are more fields than there is memory for.
    var isOverfull = false

    /// Braces, the id's name and its quotes, and what copying may write too much.
    private static let frameBytes = 32 + ByteWindow.copySlack

    init(_ grammar: JSONGrammar, _ plan: MarqoPlan.Tables, _ fields: MarqoFields) {
        self.grammar = grammar
        self.plan = plan
        self.fields = fields
    }

    /// Nothing if there are more fields than memory was lent for.
    mutating func run(into batch: inout RecordBatch) -> TransformOutcome? {
        var end = document()
        if end >= 0 { end = nest() }
        if end >= 0 { end = compareTwins() }
        if end >= 0 { end = settleID() }
        if isOverfull { return nil }
        if end < 0 { return refused(end) }
        guard select() else { return .skipped }
        guard batch.fits(room: room) else { return refused(.failure(.batchFull, at: 0)) }
        batch.append(room: room) { output in write(to: output) }
        return .written
    }

    /// The raw object: its id and its fields; what else it says is read and left.
    private mutating func document() -> Place {
        let bytes = grammar.bytes
        let start = grammar.afterSpace(0)
        guard start < bytes.end else { return .failure(.truncated, at: bytes.end) }
        guard bytes[start] == Sign.openBrace else { return .failure(.notAnObject, at: start) }
        let grammar = grammar
        var hasFields = false
        let end = grammar.members(of: start, depth: 1) { key, value in
            switch MarqoEnvelope(key, in: grammar) {
            case .fields:
                if hasFields { return refuse(field: "fields", "stands twice, expected once", at: key.start - 1) }
                hasFields = true
                guard bytes[value] == Sign.openBrace else {
                    return refuse(field: "fields", expected: "an object", at: value)
                }
                return userFields(value)
            case .documentID where bytes[value] == Sign.quote:
                let text = grammar.text(value + 1)
                if text.end < 0 { return text.end }
                documentID = text
                return text.end + 1
            case .documentID, .other:
                return grammar.skip(value, depth: 1)
            }
        }
        if end < 0 { return end }
        if end > bytes.end { return .failure(.truncated, at: bytes.end) }
        let rest = end == bytes.end ? end : grammar.afterSpace(end)
        guard rest == bytes.end else { return .failure(.trailingBytes, at: rest) }
        return hasFields
            ? end : refuse("the document has no \"fields\", expected an object under that name", at: end - 1)
    }

    private mutating func userFields(_ start: Int) -> Place {
        let grammar = grammar
        return grammar.members(of: start, depth: 2) { key, value in
            key.isEscaped ? escapedField(key, value) : field(MarqoKey(grammar.bytes, key.start, key.end), key, value)
        }
    }

    /// A key with escapes is rare, and no cheaper to read than this.
    @inline(never)
    private mutating func escapedField(_ key: JSONGrammar.Text, _ value: Int) -> Place {
        let name = grammar.resolved(key.start..<key.end)
        var plain = name.withUnsafeBytes { ByteWindow.padded($0, 0..<$0.count) { MarqoKey($0, 0, name.count) } }
        // Prefixes are ASCII, so each of their bytes is one character or one escape of the text.
        var start = key.start
        for _ in 0..<plain.nameStart {
            start = grammar.bytes[start] == Sign.backslash ? grammar.escape(start).next : start + 1
        }
        plain.nameStart = start
        return field(plain, key, value)
    }

    @inline(__always)
    private mutating func field(_ key: MarqoKey, _ text: JSONGrammar.Text, _ value: Int) -> Place {
        guard plan.foreign & key.role.bit == 0 else { return contradiction(text) }
        switch key.role {
        case .plain:
            return plain(name(key, text), value)
        case .lexical, .filter:
            return prefixed(name(key, text), key.role, value)
        case .stringArrayOf:
            return stringArray(name(key, text), value)
        default:
            return system(key.role, text, value)
        }
    }

    @inline(__always)
    private func name(_ key: MarqoKey, _ text: JSONGrammar.Text) -> MarqoName {
        MarqoName(grammar, key.nameStart, text.end, isEscaped: text.isEscaped)
    }

    @inline(never)
    private mutating func system(_ role: MarqoRole, _ key: JSONGrammar.Text, _ value: Int) -> Place {
        switch role {
        case .id: return readID(value, of: key)
        case .shortStrings where plan.kind == .semiStructured:
            // Copies of the short ones among the text fields, each of which stands for itself.
            return grammar.skip(value, depth: 2)
        case .ints, .floats:
            typesAreStale = true
            return container(role, value)
        case .shortStrings, .longStrings, .bools:
            return container(role, value)
        case .stringArray:
            guard read & role.bit == 0 else { return refuseSecond(key) }
            read |= role.bit
            return groupedArrays(value)
        case .fieldTypes:
            guard fieldTypes == nil else { return refuseSecond(key) }
            fieldTypes = value
            typesAreStale = false
            return markEntries(value)
        default:
            return grammar.skip(value, depth: 2)
        }
    }
}

/// What a member of the raw object is.
private enum MarqoEnvelope {
    case fields, documentID, other

    init(_ key: JSONGrammar.Text, in grammar: JSONGrammar) {
        let range = key.start..<key.end
        self =
            if key.isEscaped {
                grammar.says(range, "fields".utf8)
                    ? .fields
                    : grammar.says(range, "put".utf8) || grammar.says(range, "id".utf8) ? .documentID : .other
            } else {
                switch (range.count, MarqoKey.word(grammar.bytes, key.start, range.count)) {
                // "fields", "put" and "id", the first letter lowest.
                case (6, 0x7364_6C65_6966): .fields
                case (3, 0x0074_7570), (2, 0x6469): .documentID
                default: .other
                }
            }
    }
}
