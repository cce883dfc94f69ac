// Fields that stand by themselves: under their own names, or behind the prefix of what they are indexed for.
import SluiceCore

extension MarqoWalk {
    /// Takes a field in, unless its name is taken already; answers with the end of its value.
    @inline(__always)
    mutating func add(
        _ name: MarqoName,
        _ role: MarqoRole,
        _ form: MarqoField.Form,
        _ value: Range<Int>,
        point: Range<Int>? = nil
    ) -> Place {
        // A number may be read to behind the end, where there is nothing to copy.
        guard value.upperBound <= grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        // "_id", the first letter lowest.
        if name.head == 0x64_695F, name.end - name.start == 3 { return refuseReserved(role, at: name.start - 1) }
        let (slot, index) = fields.find(name, in: grammar)
        guard index < 0 else { return add(name, role, form, value, besides: index) }
        guard hasRoom() else { return .failure(.batchFull, at: 0) }
        var field = MarqoField(name, role, form, value)
        if let point {
            field.pointStart = Int32(truncatingIfNeeded: point.lowerBound)
            field.pointEnd = Int32(truncatingIfNeeded: point.upperBound)
            pointed += 1
        }
        fields.insert(field, at: slot)
        room += Self.fieldBytes + name.end - name.start + value.count
        return value.upperBound
    }

    /// Quotes, colon, comma, brackets, or `false` for a 0: the most that a field takes beside its name and value.
    static var fieldBytes: Int { 16 }

    @inline(__always)
    mutating func hasRoom() -> Bool {
        if fields.isFull { isOverfull = true }
        return !isOverfull
    }

    /// A field under the name that the user gave it.
    @inline(__always)
    mutating func plain(_ name: MarqoName, _ value: Int) -> Place {
        if let index = plan.find(name, in: grammar), plan.known[index].treatment != .undeclared {
            return declared(name, .plain, plan.known[index].treatment, value)
        }
        if isSearchOnly(name) { return grammar.skip(value, depth: 2) }
        guard plan.kind != .structured else { return refuseUndeclared(name, .plain) }
        return copy(name, .plain, value)
    }

    @inline(__always)
    mutating func prefixed(_ name: MarqoName, _ role: MarqoRole, _ value: Int) -> Place {
        if plan.kind == .structured {
            guard let index = plan.find(name, in: grammar), plan.known[index].treatment != .undeclared else {
                return refuseUndeclared(name, role)
            }
            let treatment = plan.known[index].treatment
            guard treatment == .copied else { return declared(name, role, treatment, value) }
        }
        guard role == .lexical else { return copy(name, role, value) }
        guard grammar.bytes[value] == Sign.quote else { return refuse(name, expected: "a string", at: value) }
        let end = grammar.string(value)
        return end < 0 ? end : add(name, role, .copied, value..<end)
    }

    @inline(never)
    private mutating func declared(
        _ name: MarqoName,
        _ role: MarqoRole,
        _ treatment: MarqoPlan.Treatment,
        _ value: Int
    ) -> Place {
        switch treatment {
        case .undeclared, .copied: return copy(name, role, value)
        case .absent: return grammar.skip(value, depth: 2)
        case .map: return map(name, role, value)
        case .bool:
            let end = grammar.skip(value, depth: 2)
            if end < 0 { return end }
            let digit = grammar.bytes[value]
            guard end == value + 1, digit == Sign.zero || digit == Sign.zero + 1 else {
                return refuse(name, expected: "0 or 1 for a bool", at: value)
            }
            return add(name, role, digit == Sign.zero ? .no : .yes, value..<end)
        }
    }

    /// Takes a value as it stands.
    @inline(__always)
    mutating func copy(_ name: MarqoName, _ role: MarqoRole, _ value: Int) -> Place {
        let first = grammar.bytes[value]
        if first == Sign.openBrace || first == Sign.openBracket { copiesStructure = true }
        let end = grammar.skip(value, depth: 2)
        return end < 0 ? end : add(name, role, .copied, value..<end)
    }

    @inline(never)
    mutating func stringArray(_ name: MarqoName, _ value: Int) -> Place {
        guard grammar.bytes[value] == Sign.openBracket else {
            return refuse(name, expected: "a list of strings", at: value)
        }
        copiesStructure = true
        let grammar = grammar
        let end = grammar.elements(of: value, depth: 3) { element in
            guard grammar.bytes[element] == Sign.quote else {
                return refuse(name, expected: "strings in its list", at: element)
            }
            return grammar.string(element)
        }
        return end < 0 ? end : add(name, .stringArrayOf, .copied, value..<end)
    }

    /// What only answers of a search hold; "sddocname", "matchfeatures" and "documentid" by their first eight letters.
    @inline(__always)
    private func isSearchOnly(_ name: MarqoName) -> Bool {
        let ends: StaticString
        switch (name.end - name.start, name.head) {
        case (9, 0x616E_636F_6464_7373), (9, 0x6D61_6E63_6F64_6473): ends = "e"
        case (13, 0x6165_6668_6374_616D): ends = "tures"
        case (10, 0x746E_656D_7563_6F64): ends = "id"
        default: return false
        }
        let text = UnsafeRawBufferPointer(start: ends.utf8Start, count: ends.utf8CodeUnitCount)
        return !name.isEscaped && grammar.equals(name.start + 8, text)
    }
}

// MARK: - The id

extension MarqoWalk {
    mutating func readID(_ value: Int, of key: JSONGrammar.Text) -> Place {
        guard id == nil else { return refuseSecond(key) }
        guard grammar.bytes[value] == Sign.quote else {
            return refuse(field: "marqo__id", expected: "a non-empty string", at: value)
        }
        let text = grammar.text(value + 1)
        if text.end < 0 { return text.end }
        guard text.end > text.start else {
            return refuse(field: "marqo__id", expected: "a non-empty string", at: value)
        }
        id = text
        room += text.end - text.start
        return text.end + 1
    }

    /// Without `marqo__id` the id is what follows the first `::` of Vespa's own; it may hold more of them.
    mutating func settleID() -> Place {
        if id != nil { return 0 }
        guard let text = documentID else {
            return refuse("the document has neither \"marqo__id\" nor an id of Vespa's, expected one of them", at: 0)
        }
        guard let colons = grammar.firstColons(text.start..<text.end, isEscaped: text.isEscaped),
            colons.upperBound < text.end
        else {
            return refuse(
                "the document has no \"marqo__id\", and no user's id in Vespa's: found \(shown(text.start - 1)), "
                    + "expected id:<namespace>:<type>::<id>",
                at: text.start - 1
            )
        }
        id = JSONGrammar.Text(start: colons.upperBound, end: text.end, isEscaped: text.isEscaped)
        room += text.end - colons.upperBound
        return 0
    }
}
