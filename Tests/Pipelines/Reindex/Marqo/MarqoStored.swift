// Made-up documents of users, and how Marqo would store them: written from the mapping's tables, sharing no line with the transform.

import SluiceCore

/// The forms in which an index may have kept a document.
enum StoredForm: String, CaseIterable {
    case structured, unstructured, semiBefore216, semi216

    var kind: IndexKind {
        switch self {
        case .structured: .structured
        case .unstructured: .unstructured
        case .semiBefore216, .semi216: .semiStructured
        }
    }
}

/// What a user can give a field.
enum UserValue {
    case string(String), bool(Bool), int(String), float(String), strings([String])
    /// Keys with numbers as they are written; a point or an exponent makes a float.
    case map([(key: String, number: String)])

    var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .bool(let flag): .bool(flag)
        case .int(let text), .float(let text): Self.number(text)
        case .strings(let texts): .array(texts.map { .string($0) })
        case .map(let entries):
            .object(entries.reduce(into: JSONObject()) { $0[$1.key] = Self.number($1.number) })
        }
    }

    var type: FieldType {
        switch self {
        case .string: .text
        case .bool: .bool
        case .int: .long
        case .float: .double
        case .strings: .textArray
        case .map: .doubleMap
        }
    }

    static func isFloat(_ number: String) -> Bool { number.contains { ".eE".contains($0) } }
    static func number(_ text: String) -> JSONValue { JSONNumber(text).map { .number($0) } ?? .null }
}

struct UserDocument {
    var id: String
    var fields: [(name: String, value: UserValue)]

    var json: JSONValue {
        var object: JSONObject = ["_id": .string(id)]
        for field in fields { object[field.name] = field.value.json }
        return .object(object)
    }

    var declared: [String: FieldType] {
        Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value.type) })
    }
}

/// Puts documents into the form that Vespa hands out, with all that Marqo derives.
struct StoredEncoder {
    let form: StoredForm
    /// Whether maps come as lists of keys and values.
    let mapsAreLists: Bool
    private var fields: [(String, JSONValue)] = []
    private var containers: [String: [(String, JSONValue)]] = [:]
    private var types: [(String, JSONValue)] = []
    private var grouped: [JSONValue] = []

    init(_ form: StoredForm, mapsAreLists: Bool) {
        self.form = form
        self.mapsAreLists = mapsAreLists
    }

    /// The members of `fields`, in no particular order.
    mutating func encode(_ document: UserDocument) -> [(String, JSONValue)] {
        fields = [("marqo__id", .string(document.id)), ("marqo__vector_count", 1)]
        for field in document.fields {
            if form == .structured { structured(field.name, field.value) } else { contained(field.name, field.value) }
        }
        for (name, entries) in containers.sorted(by: { $0.key < $1.key }) { fields.append((name, map(entries))) }
        if !grouped.isEmpty { fields.append(("marqo__string_array", .array(grouped))) }
        if form == .semi216 {
            fields.append(("marqo__field_types", map(types)))
            fields.append(("marqo__version_uuid", "00112233445566778899aabbccddeeff"))
        }
        let isLegacy = form == .unstructured
        fields.append((isLegacy ? "marqo__chunks" : "marqo__chunks_t", isLegacy ? ["t::c"] : ["c"]))
        fields.append(
            (
                isLegacy ? "marqo__embeddings" : "marqo__embeddings_t",
                ["blocks": ["0": [1, UserValue.number("-0.25e-3")]]]
            )
        )
        fields.append(("marqo__future_\(form.rawValue)", ["x": [true, nil]]))
        return fields
    }

    private mutating func structured(_ name: String, _ value: UserValue) {
        switch value {
        case .string:
            fields.append(("marqo__lexical_\(name)", value.json))
            if name.utf8.count % 2 == 0 { fields.append(("marqo__filter_\(name)", value.json)) }
        case .bool(let flag): fields.append(("marqo__filter_\(name)", flag ? 1 : 0))
        case .int, .float: fields.append((name.utf8.count % 2 == 0 ? name : "marqo__filter_\(name)", value.json))
        case .strings: fields.append((name, value.json))
        case .map(let entries): fields.append((name, map(entries.map { ($0.key, UserValue.number($0.number)) })))
        }
    }

    private mutating func contained(_ name: String, _ value: UserValue) {
        switch value {
        case .string(let text):
            let isShort = text.unicodeScalars.count <= 50
            if form == .unstructured {
                contain(isShort ? "marqo__short_string_fields" : "marqo__long_string_fields", name, value.json)
                fields.removeAll { $0.0 == "marqo__strings" }
                fields.append(("marqo__strings", [value.json]))
            } else {
                fields.append(("marqo__lexical_\(name)", value.json))
                if isShort { contain("marqo__short_string_fields", name, value.json) }
            }
            types.append((name, "string"))
        case .bool(let flag):
            contain("marqo__bool_fields", name, flag ? 1 : 0)
            types.append((name, "bool"))
        case .int:
            contain("marqo__int_fields", name, value.json)
            types.append((name, "int"))
        case .float:
            contain("marqo__float_fields", name, value.json)
            types.append((name, "float"))
        case .strings(let texts):
            if form == .semi216 {
                fields.append(("marqo__string_array_\(name)", value.json))
            } else {
                grouped += texts.map { .string("\(name)::\($0)") }
            }
            types.append((name, "string_array"))
        case .map(let entries):
            for (key, number) in entries {
                let isFloat = UserValue.isFloat(number)
                contain(
                    isFloat ? "marqo__float_fields" : "marqo__int_fields",
                    "\(name).\(key)",
                    UserValue.number(number)
                )
                types.append((name, isFloat ? "float_map_entry" : "int_map_entry"))
                types.append(("\(name).\(key)", isFloat ? "float_map_entry" : "int_map_entry"))
            }
        }
    }

    private mutating func contain(_ container: String, _ name: String, _ value: JSONValue) {
        containers[container, default: []].append((name, value))
    }

    private func map(_ entries: [(String, JSONValue)]) -> JSONValue {
        guard mapsAreLists else { return .object(entries.reduce(into: JSONObject()) { $0[$1.0] = $1.1 }) }
        return .array(entries.map { ["value": $0.1, "key": .string($0.0)] } + [["key": "valueless"]])
    }
}
