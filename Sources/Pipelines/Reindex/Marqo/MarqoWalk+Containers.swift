// Containers, in which Marqo keeps the fields of one type together, and lists and maps that it took apart.
import SluiceCore

extension MarqoWalk {
    /// A map from the user's names to values of one type.
    @inline(never)
    mutating func container(_ role: MarqoRole, _ value: Int) -> Place {
        entries(of: value, role.vespaName("")) { walk, key, value in
            let point =
                walk.mayNest(role) ? walk.grammar.firstPoint(key.start..<key.end, isEscaped: key.isEscaped) : nil
            let name = MarqoName(walk.grammar, key.start, key.end, isEscaped: key.isEscaped)
            switch role {
            case .ints, .floats:
                guard walk.isNumber(value) else { return walk.refuse(name, expected: "a number", at: value) }
                let end = walk.grammar.number(value)
                return end < 0 ? end : walk.add(name, role, .copied, value..<end, point: point)
            case .bools:
                return walk.truth(name, value)
            default:
                guard walk.grammar.bytes[value] == Sign.quote else {
                    return walk.refuse(name, expected: "a string", at: value)
                }
                let end = walk.grammar.string(value)
                return end < 0 ? end : walk.add(name, role, .copied, value..<end)
            }
        }
    }

    /// Only numbers can be entries of maps.
    @inline(__always)
    private func mayNest(_ role: MarqoRole) -> Bool { role == .ints || role == .floats }

    @inline(__always)
    private func isNumber(_ value: Int) -> Bool {
        let first = grammar.bytes[value]
        return first &- Sign.zero < 10 || first == Sign.minus
    }

    /// A bool of an index without declarations: whatever is not zero is true.
    private mutating func truth(_ name: MarqoName, _ value: Int) -> Place {
        let end = grammar.scalar(value)
        if end < 0 { return end }
        guard end <= grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        let isTrue: Bool
        switch grammar.bytes[value] {
        case 0x74: isTrue = true  // true
        case 0x66: isTrue = false  // false
        case Sign.minus, Sign.zero...0x39:
            // An exponent makes nothing of zero.
            let digits = grammar.bytes.span(value..<end).prefix { $0 | 0x20 != 0x65 }
            isTrue = digits.contains { 0x31...0x39 ~= $0 }
        default:
            return refuse(name, expected: "a number for a bool", at: value)
        }
        return add(name, .bools, isTrue ? .yes : .no, value..<end)
    }

    /// Walks a map in either form: an object, or a list of objects with `key` and `value`.
    ///
    /// An entry of a list without its value is passed over, as Marqo does.
    @inline(__always)
    mutating func entries(
        of value: Int,
        _ name: @autoclosure () -> String,
        _ entry: (inout MarqoWalk, _ key: JSONGrammar.Text, _ value: Int) -> Place
    ) -> Place {
        let grammar = grammar
        if grammar.bytes[value] == Sign.openBrace {
            return grammar.members(of: value, depth: 3) { key, value in entry(&self, key, value) }
        }
        guard grammar.bytes[value] == Sign.openBracket else {
            return refuse(field: name(), expected: "an object or a list of keys and values", at: value)
        }
        return grammar.elements(of: value, depth: 3) { element in
            var pair = MarqoPair()
            let end = self.pair(element, &pair, name)
            guard end >= 0, let key = pair.key, let value = pair.value else { return end }
            let taken = entry(&self, key, value)
            return taken < 0 ? taken : end
        }
    }

    @inline(never)
    private mutating func pair(_ start: Int, _ pair: inout MarqoPair, _ name: () -> String) -> Place {
        let grammar = grammar
        guard grammar.bytes[start] == Sign.openBrace else {
            return refuse(field: name(), expected: "objects with key and value in its list", at: start)
        }
        let end = grammar.members(of: start, depth: 4) { key, value in
            if grammar.says(key.start..<key.end, "key".utf8) {
                guard grammar.bytes[value] == Sign.quote else {
                    return refuse(field: name(), expected: "a string as the key of each entry", at: value)
                }
                let text = grammar.text(value + 1)
                if text.end < 0 { return text.end }
                pair.key = text
                return text.end + 1
            }
            if grammar.says(key.start..<key.end, "value".utf8) { pair.value = value }
            return grammar.skip(value, depth: 4)
        }
        if end >= 0, pair.key == nil, pair.value != nil {
            return refuse(field: name(), expected: "a key for each value in its list", at: start)
        }
        return end
    }
}

/// An entry of a map that came as a list.
private struct MarqoPair {
    var key: JSONGrammar.Text?
    var value: Int?
}

// MARK: - Lists and maps

extension MarqoWalk {
    /// Strings of all lists in one list, each behind its field's name and `::`.
    @inline(never)
    mutating func groupedArrays(_ value: Int) -> Place {
        let field = "marqo__string_array"
        guard grammar.bytes[value] == Sign.openBracket else {
            return refuse(field: field, expected: "a list of strings", at: value)
        }
        let grammar = grammar
        var group = -1
        return grammar.elements(of: value, depth: 3) { element in
            guard grammar.bytes[element] == Sign.quote else {
                return refuse(field: field, expected: "strings in its list", at: element)
            }
            let text = grammar.text(element + 1)
            if text.end < 0 { return text.end }
            guard let colons = grammar.firstColons(text.start..<text.end, isEscaped: text.isEscaped),
                colons.lowerBound > text.start
            else { return refuse(field: field, expected: "<field>::<value>", at: element) }
            let name = MarqoName(grammar, text.start, colons.lowerBound, isEscaped: text.isEscaped)
            if group < 0 || !isName(name, of: group) {
                group = self.group(name, at: element)
                if group < 0 { return group }
            }
            return addPart(name, .copied, colons.upperBound..<text.end + 1, to: group)
        }
    }

    @inline(__always)
    private func isName(_ name: MarqoName, of index: Int) -> Bool {
        let field = fields[index]
        return field.hash == name.hash && field.head == name.head
            && grammar.isSame(name, Int(field.nameStart), Int(field.nameEnd), isEscaped: field.isNameEscaped)
    }

    /// The list that a name's strings belong to, made when its first one comes.
    @inline(never)
    private mutating func group(_ name: MarqoName, at element: Int) -> Int {
        let (_, index) = fields.find(name, in: grammar)
        if index < 0 {
            let made = add(name, .stringArray, .list, element..<element)
            return made < 0 ? made : fields.count - 1
        }
        if fields[index].form == .list { return index }
        if fields[index].twin >= 0 { return Int(fields[index].twin) }
        guard fields[index].role == .stringArrayOf else { return refusePlaces(index, .stringArray, at: element) }
        // The list is here in its newer form already; whether both say the same is seen when both are complete.
        guard hasRoom() else { return .failure(.batchFull, at: 0) }
        var twin = MarqoField(name, .stringArray, .list, element..<element)
        twin.isHidden = true
        fields[index].twin = Int32(truncatingIfNeeded: fields.count)
        fields.append(twin)
        return fields.count - 1
    }

    @inline(__always)
    private mutating func addPart(
        _ name: MarqoName,
        _ form: MarqoField.Form,
        _ value: Range<Int>,
        to whole: Int
    ) -> Place {
        guard value.upperBound <= grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        guard hasRoom() else { return .failure(.batchFull, at: 0) }
        fields.append(MarqoField(name, fields[whole].role, form, value))
        fields.link(fields.count - 1, to: whole)
        room += Self.fieldBytes + name.end - name.start + value.count
        return value.upperBound
    }

    /// A declared map: an object as it is, or made of a list of keys and values.
    mutating func map(_ name: MarqoName, _ role: MarqoRole, _ value: Int) -> Place {
        if grammar.bytes[value] == Sign.openBrace { return copy(name, role, value) }
        guard grammar.bytes[value] == Sign.openBracket else {
            return refuse(name, expected: "an object or a list of keys and values", at: value)
        }
        let made = add(name, role, .map, value..<value)
        if made < 0 { return made }
        // Nobody else's: a second map of the name has been refused.
        let whole = fields.count - 1
        let grammar = grammar
        return entries(of: value, grammar.string(name.start..<name.end)) { walk, key, value in
            let end = walk.grammar.skip(value, depth: 4)
            if end < 0 { return end }
            let part = MarqoName(walk.grammar, key.start, key.end, isEscaped: key.isEscaped)
            if walk.isPart(part, of: whole) { return walk.refuse(part, "stands twice in its map", at: key.start - 1) }
            return walk.addPart(part, .copied, value..<end, to: whole)
        }
    }

    private func isPart(_ name: MarqoName, of whole: Int) -> Bool {
        var part = fields[whole].first
        while part >= 0 {
            if isName(name, of: Int(part)) { return true }
            part = fields[Int(part)].next
        }
        return false
    }
}
