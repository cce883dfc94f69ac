// Documents by chance that repeats itself, with names, keys and values as awkward as they may be.

import SluiceCore

/// SplitMix64, and what it makes up.
struct MarqoChance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func pick<T>(_ choices: [T]) -> T {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }

    private static let names = [
        "title", "_x", "string_array_x", "lexical_t", "filter_b", "marqo", "a", "fields", "id", "put", "int_fields",
        "variantTitle", "variantImageUrl", "variantImageUr1", "a_name_of_more_than_sixteen_bytes",
        "a_name_of_more_than_sixteen_bites", "documentids", "m", "n", "k9", "B",
    ]
    private static let texts = [
        "", "x", "a::b", "::", "m.a", ".", "größe 日本 😀", "line\nbreak\t\"quoted\" back\\slash",
        "\u{0}\u{1F}\u{7F}\u{2028}",
        "a text of many more than fifty characters, which legacy indexes keep with the long ones", "{\"a\":[1]}",
        "true", "0",
    ]
    private static let ints = ["0", "-1", "7", "9007199254740993", "-9223372036854775808", "18446744073709551615"]
    private static let floats = ["3.0", "0.1", "-2.5E-4", "1e10", "11.50", "-0.0"]

    mutating func document() -> UserDocument {
        let names = Self.names.shuffled(using: &self).prefix(Int.random(in: 0...12, using: &self))
        let id = pick(["a", "sku::7", "a:b", "größe", "with \"quotes\"", "0"])
        return UserDocument(id: id, fields: names.map { ($0, value()) })
    }

    private mutating func value() -> UserValue {
        switch Int.random(in: 0..<7, using: &self) {
        case 0, 1: return .string(pick(Self.texts))
        case 2: return .bool(pick([true, false]))
        case 3: return .int(pick(Self.ints))
        case 4: return .float(pick(Self.floats))
        case 5: return .strings((0...Int.random(in: 0...4, using: &self)).map { _ in pick(Self.texts) })
        default:
            let keys = Self.texts.shuffled(using: &self).prefix(Int.random(in: 1...5, using: &self))
            return .map(keys.map { (key: $0, number: pick(Self.ints + Self.floats)) })
        }
    }

    /// The raw object, its members and fields in any order, with spaces and escapes now and then.
    mutating func raw(_ fields: [(String, JSONValue)], id: String) -> [UInt8] {
        let gap = pick(["", "", " ", "\n  "])
        let members = fields.shuffled(using: &self).map { name, value in
            "\"\(escaped(name))\"\(gap):\(gap)\(value.bytes(pick([.compact, .compact, .pretty])))"
        }
        let object = "{\(gap)\(members.joined(separator: ",\(gap)"))\(gap)}"
        let parts = ["\"fields\":\(gap)\(object)", "\"\(pick(["put", "id"]))\":\(JSONValue.string("id:s:s::\(id)"))"]
        return Array("{\(gap)\((parts + ["\"more\":[{}]"]).shuffled(using: &self).joined(separator: ","))\(gap)}".utf8)
    }

    /// A name of ASCII letters, one of them written as an escape now and then.
    private mutating func escaped(_ name: String) -> String {
        guard Int.random(in: 0..<8, using: &self) == 0, let place = name.indices.randomElement(using: &self),
            let value = name[place].asciiValue
        else { return name }
        let digits = String(value, radix: 16)
        return name[..<place] + "\\u00" + digits + name[name.index(after: place)...]
    }

    /// One to three wounds.
    mutating func mutated(_ text: [UInt8]) -> [UInt8] {
        var text = text
        let alphabet = Array("{}[]\",:\\u0eE+-.tfnd8c9 \n\u{1}1/".utf8) + [0x80, 0xC3, 0xE2, 0xF0, 0xFF]
        for _ in 0..<Int.random(in: 1...3, using: &self) where !text.isEmpty {
            let place = Int.random(in: 0..<text.count, using: &self)
            switch Int.random(in: 0..<6, using: &self) {
            case 0: text[place] = pick(alphabet)
            case 1: text.remove(at: place)
            case 2: text.insert(pick(alphabet), at: place)
            case 3: text[place] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 4: text.removeSubrange(place...)
            default: text.replaceSubrange(place..<min(place + 6, text.count), with: text[..<min(9, text.count)])
            }
        }
        return text
    }
}

extension JSONValue {
    fileprivate func bytes(_ style: Style) -> String {
        String(decoding: bytes(style: style), as: UTF8.self)
    }
}
