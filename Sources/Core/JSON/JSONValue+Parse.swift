// From bytes to a tree.

extension JSONValue {
    /// Parses bytes that are one JSON value, whitespace around it allowed; the same grammar as the record scanner's.
    public static func parse(_ bytes: RawSpan) throws(RecordError) -> JSONValue {
        let count = bytes.byteCount
        var value = JSONValue.null
        let end = bytes.withUnsafeBytes { buffer in
            ByteWindow.padded(buffer, 0..<count) { window in JSONParser(bytes: window).parse(&value) }
        }
        guard end >= 0 else { throw end.error(end: count) }
        return value
    }

    public static func parse(_ bytes: [UInt8]) throws(RecordError) -> JSONValue {
        try parse(bytes.span.bytes)
    }

    public static func parse(_ bytes: ArraySlice<UInt8>) throws(RecordError) -> JSONValue {
        try parse(bytes.span.bytes)
    }

    public static func parse(_ text: String) throws(RecordError) -> JSONValue {
        try parse(text.utf8.span.bytes)
    }
}

/// Builds values where the grammar finds them.
private struct JSONParser {
    let grammar: JSONGrammar

    init(bytes: ByteWindow) {
        grammar = JSONGrammar(bytes: bytes)
    }

    func parse(_ result: inout JSONValue) -> Place {
        let end = grammar.bytes.end
        let place = value(grammar.afterSpace(0), depth: 0, &result)
        if place < 0 { return place }
        if place > end { return .failure(.truncated, at: end) }
        let rest = place == end ? end : grammar.afterSpace(place)
        return rest == end ? end : .failure(.trailingBytes, at: rest)
    }

    private func value(_ place: Int, depth: Int, _ result: inout JSONValue) -> Place {
        switch grammar.bytes[place] {
        case Sign.quote:
            let text = grammar.text(place + 1)
            if text.end < 0 { return text.end }
            result = .string(grammar.string(of: text))
            return text.end + 1
        case Sign.openBrace:
            return object(place, depth: depth + 1, &result)
        case Sign.openBracket:
            return array(place, depth: depth + 1, &result)
        default:
            return scalar(place, &result)
        }
    }

    private func object(_ place: Int, depth: Int, _ result: inout JSONValue) -> Place {
        var builder = JSONObjectBuilder()
        let end = grammar.members(of: place, depth: depth) { key, place in
            var field = JSONValue.null
            let end = value(place, depth: depth, &field)
            if end >= 0 { builder.add(grammar.string(of: key), field) }
            return end
        }
        result = .object(builder.object)
        return end
    }

    private func array(_ place: Int, depth: Int, _ result: inout JSONValue) -> Place {
        var elements: [JSONValue] = []
        let end = grammar.elements(of: place, depth: depth) { place in
            var element = JSONValue.null
            let end = value(place, depth: depth, &element)
            elements.append(element)
            return end
        }
        result = .array(elements)
        return end
    }

    private func scalar(_ place: Int, _ result: inout JSONValue) -> Place {
        let end = grammar.scalar(place)
        guard end >= 0, end <= grammar.bytes.end else { return end }
        switch grammar.bytes[place] {
        case 0x74: result = .bool(true)
        case 0x66: result = .bool(false)
        case 0x6E: result = .null
        default:
            let text = String(decoding: grammar.bytes.span(place..<end), as: UTF8.self)
            result = .number(JSONNumber(accepted: text))
        }
        return end
    }
}
