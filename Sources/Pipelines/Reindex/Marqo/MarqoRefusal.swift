// Why a document can't be had, in words that name the field, what stands there and what was expected.
import SluiceCore

extension MarqoWalk {
    /// The document's end: the reason, the place, and the id if it can be found anywhere.
    mutating func refused(_ place: Place) -> TransformOutcome {
        let error = place.error(end: grammar.bytes.end)
        return .refused(
            reason: refusal ?? error.message,
            offset: error.offset,
            recordID: MarqoIdentity.find(in: grammar)
        )
    }

    /// Ends the document's way; `refusal` counts, the code of the place does not.
    @inline(never)
    mutating func refuse(_ reason: String, at place: Int) -> Place {
        // The text may have ended before this, and what seems to be wrong may stand behind its end.
        guard place < grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        refusal = reason
        return .failure(.unexpectedByte, at: place)
    }

    @inline(never)
    mutating func refuse(field: String, _ complaint: String, at place: Int) -> Place {
        refuse("field \(Self.quoted(field)): \(complaint)", at: place)
    }

    @inline(never)
    mutating func refuse(field: String, expected: String, at value: Int) -> Place {
        guard value < grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        // A value that is no JSON is the text's fault.
        let end = grammar.skip(value, depth: 4)
        if end < 0 { return end }
        guard end <= grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        return refuse(field: field, "expected \(expected), found \(shown(value))", at: value)
    }

    @inline(never)
    mutating func refuse(_ name: MarqoName, expected: String, at value: Int) -> Place {
        refuse(field: text(name.start..<name.end), expected: expected, at: value)
    }

    @inline(never)
    mutating func refuse(_ name: MarqoName, _ complaint: String, at place: Int) -> Place {
        refuse(field: text(name.start..<name.end), complaint, at: place)
    }

    @inline(never)
    mutating func refuseSecond(_ key: JSONGrammar.Text) -> Place {
        refuse(field: text(key.start..<key.end), "stands twice, expected once", at: key.start - 1)
    }

    @inline(never)
    mutating func refuseReserved(_ role: MarqoRole, at place: Int) -> Place {
        refuse(
            field: Marqo.idField,
            "found in \(role.vespaName(Marqo.idField)), expected no user's field of that name, which is the id's",
            at: place
        )
    }

    @inline(never)
    mutating func refuseUndeclared(_ name: MarqoName, _ role: MarqoRole) -> Place {
        let field = text(name.start..<name.end)
        return refuse(
            field: field,
            "found as \(role.vespaName(field)), expected only fields that the index record declares; "
                + "declare it with sluice index set",
            at: name.start - 1
        )
    }

    @inline(never)
    mutating func contradiction(_ key: JSONGrammar.Text) -> Place {
        refuse(
            "the index record says \(plan.kind.rawValue), but the document has \(text(key.start..<key.end)); "
                + "correct it with sluice index set",
            at: key.start - 1
        )
    }

    /// A name that is taken by a field of another type.
    @inline(never)
    mutating func refusePlaces(_ index: Int, _ role: MarqoRole, at place: Int) -> Place {
        let field = text(fields[index].name)
        let other = fields[index].role
        return refuse(
            field: field,
            "expected in one place, found in \(other.vespaName(field)) and in \(role.vespaName(field))",
            at: place
        )
    }

    /// An entry whose map's name is a field's.
    @inline(never)
    mutating func refuseMap(_ entry: Int, besides index: Int) -> Place {
        let field = text(fields[index].name)
        return refuse(
            field: field,
            "expected either a value or a map, found a value in \(fields[index].role.vespaName(field)) "
                + "and the entry \(Self.quoted(text(fields[entry].name))) in \(fields[entry].role.vespaName(field))",
            at: Int(fields[entry].nameStart) - 1
        )
    }

    @inline(never)
    mutating func refuseCopies(_ first: MarqoField, _ second: MarqoField) -> Place {
        let field = text(first.name)
        func found(_ copy: MarqoField) -> String {
            let value = value(of: copy).map { Self.cut($0.description) } ?? "a map"
            return "\(value) in \(copy.role.vespaName(field))"
        }
        return refuse(
            field: field,
            "expected the same value wherever it stands, found \(found(first)) and \(found(second))",
            at: Int(second.nameStart) - 1
        )
    }

    private func text(_ range: Range<Int>) -> String {
        grammar.string(range)
    }

    private static func quoted(_ field: String) -> String {
        JSONValue.string(field).description
    }

    /// What stands at a place, briefly; it has been read.
    func shown(_ value: Int) -> String {
        switch grammar.bytes[value] {
        case Sign.openBrace: return "an object"
        case Sign.openBracket: return "a list"
        default:
            let end = grammar.scalar(value)
            guard end >= 0, end <= grammar.bytes.end else { return "nothing" }
            return Self.cut(String(decoding: grammar.bytes.span(value..<end), as: UTF8.self))
        }
    }

    /// Long values would hide what a message says.
    private static func cut(_ text: String) -> String {
        let charactersMax = 60
        return text.count <= charactersMax ? text : text.prefix(charactersMax) + "…"
    }
}

/// Which document it is, as far as a text that was refused still tells.
private enum MarqoIdentity {
    static func find(in grammar: JSONGrammar) -> String? {
        let start = grammar.afterSpace(0)
        guard start < grammar.bytes.end, grammar.bytes[start] == Sign.openBrace else { return nil }
        var id: String?
        var vespaID: String?
        // What follows the id does not matter, so a failure further on is none.
        _ = grammar.members(of: start, depth: 1) { key, value in
            let range = key.start..<key.end
            if grammar.says(range, "fields".utf8), grammar.bytes[value] == Sign.openBrace {
                return grammar.members(of: value, depth: 2) { key, value in
                    let isID = grammar.says(key.start..<key.end, "marqo__id".utf8)
                    return isID ? string(value, &id, grammar) : grammar.skip(value, depth: 2)
                }
            }
            let isVespaID = grammar.says(range, "put".utf8) || grammar.says(range, "id".utf8)
            return isVespaID ? string(value, &vespaID, grammar) : grammar.skip(value, depth: 1)
        }
        return id ?? vespaID.flatMap(userID)
    }

    private static func string(_ value: Int, _ text: inout String?, _ grammar: JSONGrammar) -> Place {
        guard grammar.bytes[value] == Sign.quote else { return grammar.skip(value, depth: 2) }
        let token = grammar.text(value + 1)
        if token.end < 0 { return token.end }
        if text == nil, token.end > token.start { text = grammar.string(of: token) }
        return token.end + 1
    }

    /// What follows the first `::`; without one the whole id still says which document is meant.
    private static func userID(_ vespaID: String) -> String? {
        var rest = vespaID.utf8[...]
        while let colon = rest.firstIndex(of: Sign.colon) {
            rest = rest[rest.index(after: colon)...]
            if rest.first == Sign.colon { return String(rest.dropFirst()) }
        }
        return vespaID
    }
}
