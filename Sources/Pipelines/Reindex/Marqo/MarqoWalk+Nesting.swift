// What can be said only when all of a document has been read: which names are maps' entries, and which copies agree.
import SluiceCore

extension MarqoWalk {
    /// Puts maps together again, of which each entry was stored under `map.key`, integers apart from floats.
    mutating func nest() -> Place {
        if pointed == 0 { return 0 }
        let isTold = fieldTypes != nil
        if let fieldTypes, typesAreStale {
            let end = markEntries(fieldTypes)
            if end < 0 { return end }
        }
        // Without types every name with a point is an entry's, for a user's name can't hold one.
        for index in 0..<fields.count where fields[index].hasPoint && (fields[index].isEntry || !isTold) {
            let end = nest(index)
            if end < 0 { return end }
        }
        return 0
    }

    private mutating func nest(_ index: Int) -> Place {
        let entry = fields[index]
        let start = Int(entry.nameStart)
        let name = MarqoName(grammar, start, Int(entry.pointStart), isEscaped: entry.isNameEscaped)
        var (_, whole) = fields.find(name, in: grammar)
        if whole < 0 {
            let made = add(name, entry.role, .map, start..<start)
            if made < 0 { return made }
            whole = fields.count - 1
        }
        guard fields[whole].form == .map else { return refuseMap(index, besides: whole) }
        room += Self.fieldBytes
        fields[index].nameStart = entry.pointEnd
        fields.link(index, to: whole)
        return 0
    }

    /// Marks the names that the document's own types call entries of maps.
    mutating func markEntries(_ value: Int) -> Place {
        entries(of: value, MarqoRole.fieldTypes.vespaName("")) { walk, key, value in
            let grammar = walk.grammar
            guard grammar.bytes[value] == Sign.quote else {
                return walk.refuse(field: MarqoRole.fieldTypes.vespaName(""), expected: "strings", at: value)
            }
            let type = grammar.text(value + 1)
            if type.end < 0 { return type.end }
            if Self.isEntryType(grammar, type) {
                let name = MarqoName(grammar, key.start, key.end, isEscaped: key.isEscaped)
                let (_, index) = walk.fields.find(name, in: grammar)
                if index >= 0 { walk.fields[index].isEntry = true }
            }
            return type.end + 1
        }
    }

    /// Whether a type is "int_map_entry" or "float_map_entry".
    private static func isEntryType(_ grammar: JSONGrammar, _ type: JSONGrammar.Text) -> Bool {
        let range = type.start..<type.end
        if type.isEscaped {
            return grammar.says(range, "int_map_entry".utf8) || grammar.says(range, "float_map_entry".utf8)
        }
        // "int_map_" or "float_ma", and for the rest the length: no other type begins so.
        return switch (range.count, MarqoKey.word(grammar.bytes, type.start, range.count)) {
        case (13, 0x5F70_616D_5F74_6E69), (15, 0x616D_5F74_616F_6C66): true
        default: false
        }
    }
}

// MARK: - Copies

extension MarqoWalk {
    /// A name that is taken: the same value once more is no news, all else is damage.
    @inline(never)
    mutating func add(
        _ name: MarqoName,
        _ role: MarqoRole,
        _ form: MarqoField.Form,
        _ value: Range<Int>,
        besides index: Int
    ) -> Place {
        let copy = MarqoField(name, role, form, value)
        let field = fields[index]
        guard field.role.family == role.family, field.form != .map, form != .map else {
            return refusePlaces(index, role, at: name.start - 1)
        }
        guard self.value(of: field) == self.value(of: copy) else { return refuseCopies(field, copy) }
        return value.upperBound
    }

    /// Lists that came in both forms must say the same.
    mutating func compareTwins() -> Place {
        guard read & MarqoRole.stringArray.bit != 0 else { return 0 }
        for index in 0..<fields.count where fields[index].twin >= 0 {
            let twin = fields[Int(fields[index].twin)]
            guard value(of: fields[index]) == value(of: twin) else { return refuseCopies(fields[index], twin) }
        }
        return 0
    }

    /// What a field would be in the written document; of a map nothing, for maps have no copies.
    func value(of field: MarqoField) -> JSONValue? {
        switch field.form {
        case .yes: return true
        case .no: return false
        case .map: return nil
        case .copied:
            // It has been read once, so it can be read again.
            return try? JSONValue.parse(Array(grammar.bytes.span(field.value)))
        case .list:
            var strings: [JSONValue] = []
            var part = field.first
            while part >= 0 {
                let range = fields[Int(part)].value
                strings.append(.string(grammar.string(range.lowerBound..<range.upperBound - 1)))
                part = fields[Int(part)].next
            }
            return .array(strings)
        }
    }
}

extension MarqoRole {
    /// Roles whose values can be copies of each other; 1 as an integer and 1 as a float are not.
    fileprivate var family: MarqoRole {
        switch self {
        case .lexical, .filter, .shortStrings, .longStrings: .plain
        case .stringArrayOf: .stringArray
        default: self
        }
    }
}
