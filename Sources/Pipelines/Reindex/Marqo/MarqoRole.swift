// What a field of a Vespa document is to Marqo, as its name says.
import SluiceCore

/// Where a value stands in Vespa.
enum MarqoRole: UInt8 {
    /// A field under the user's own name.
    case plain
    case lexical, filter
    case stringArrayOf, stringArray
    case shortStrings, longStrings, ints, floats, bools
    case id, fieldTypes
    /// Derived data that only some kinds of index have; left out, but it tells the kinds apart.
    case strings, chunks, embeddings, chunksOf, embeddingsOf, typedScores
    /// All else that begins as Marqo's own fields do: left out, so that what a later Marqo adds does not leak.
    case system

    var bit: UInt32 { 1 << UInt32(rawValue) }

    /// The field's name in Vespa, for messages; `name` is the user's.
    func vespaName(_ name: String) -> String {
        switch self {
        case .plain: name
        case .lexical: "marqo__lexical_\(name)"
        case .filter: "marqo__filter_\(name)"
        case .stringArrayOf: "marqo__string_array_\(name)"
        case .stringArray: "marqo__string_array"
        case .shortStrings: "marqo__short_string_fields"
        case .longStrings: "marqo__long_string_fields"
        case .ints: "marqo__int_fields"
        case .floats: "marqo__float_fields"
        case .bools: "marqo__bool_fields"
        case .id: "marqo__id"
        case .fieldTypes: "marqo__field_types"
        case .strings, .chunks, .embeddings, .chunksOf, .embeddingsOf, .typedScores, .system: name
        }
    }
}

extension IndexKind {
    /// The roles that documents of another kind have, and of this kind never.
    var foreign: UInt32 {
        let roles: [MarqoRole] =
            switch self {
            case .structured:
                [
                    .shortStrings, .longStrings, .ints, .floats, .bools, .strings, .stringArray, .stringArrayOf,
                    .chunks, .embeddings,
                ]
            case .unstructured: [.lexical, .filter, .stringArrayOf, .chunksOf, .embeddingsOf, .typedScores]
            case .semiStructured: [.filter, .longStrings, .strings, .chunks, .embeddings, .typedScores]
            }
        return roles.reduce(0) { $0 | $1.bit }
    }
}

/// A field's role, and where the user's name begins in its key.
struct MarqoKey {
    var role: MarqoRole
    var nameStart: Int

    /// Reads a key that has no escapes.
    @inline(__always)
    init(_ bytes: ByteWindow, _ start: Int, _ end: Int) {
        let sevenBytes: UInt64 = 0x00FF_FFFF_FFFF_FFFF
        let count = end - start
        // "marqo__", the first letter lowest.
        guard Self.word(bytes, start, count) & sevenBytes == 0x5F_5F6F_7172_616D else {
            role = .plain
            nameStart = start
            return
        }
        let rest = Self.word(bytes, start + 7, count - 7)
        // "lexical_" and "filter_", which are most of the fields there are.
        if rest == 0x5F6C_6163_6978_656C, count > 15 {
            role = .lexical
            nameStart = start + 15
        } else if rest & sevenBytes == 0x5F_7265_746C_6966, count > 14 {
            role = .filter
            nameStart = start + 14
        } else {
            (role, nameStart) = Self.system(bytes.span(start + 7..<end), start)
        }
    }

    /// The first eight bytes of a name, zeros behind a shorter one.
    @inline(__always)
    static func word(_ bytes: ByteWindow, _ start: Int, _ count: Int) -> UInt64 {
        let word = bytes.word(at: start)
        return count >= 8 ? word : word & (1 &<< UInt64(truncatingIfNeeded: 8 &* count) &- 1)
    }

    /// The role of a name without its `marqo__`: an exact name first, for some are the beginnings of others.
    @inline(never)
    private static func system(_ name: UnsafeRawBufferPointer, _ start: Int) -> (MarqoRole, Int) {
        if let role = exact(name) { return (role, start) }
        func begins(_ prefix: StaticString) -> Bool {
            name.count > prefix.utf8CodeUnitCount && says(name, prefix)
        }
        if begins("string_array_") { return (.stringArrayOf, start + 7 + 13) }
        if begins("chunks_") { return (.chunksOf, start) }
        if begins("embeddings_") { return (.embeddingsOf, start) }
        return (.system, start)
    }

    private static func exact(_ name: UnsafeRawBufferPointer) -> MarqoRole? {
        switch name.count {
        case 2: says(name, "id") ? .id : nil
        case 6: says(name, "chunks") ? .chunks : nil
        case 7: says(name, "strings") ? .strings : nil
        case 10: says(name, "int_fields") ? .ints : says(name, "embeddings") ? .embeddings : nil
        case 11: says(name, "bool_fields") ? .bools : says(name, "field_types") ? .fieldTypes : nil
        case 12: says(name, "float_fields") ? .floats : says(name, "string_array") ? .stringArray : nil
        case 18: says(name, "long_string_fields") ? .longStrings : nil
        case 19: says(name, "short_string_fields") ? .shortStrings : nil
        case 21: says(name, "score_modifiers_float") ? .typedScores : nil
        case 27: says(name, "score_modifiers_double_long") ? .typedScores : nil
        default: nil
        }
    }

    /// Whether a name begins with a text that is no longer than it.
    private static func says(_ name: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        for place in 0..<text.utf8CodeUnitCount where name[place] != text.utf8Start[place] { return false }
        return true
    }
}
