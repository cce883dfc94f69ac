// The parts of an object or an array and where they lie, for who wants the bytes and no tree.

/// Walks one level of a JSON text; all of it is checked, and no value is built.
package enum JSONMembers {
    /// Tells of each member of the object that fills `range`, whitespace around it allowed.
    ///
    /// A name that stands twice is told of twice. `value` is a range of `buffer`, without whitespace around it.
    ///
    /// - Throws: `.notAnObject`, or what the grammar refuses; the offset counts from the range's beginning. Members before the
    ///   fault have been told of.
    package static func ofObject(
        in buffer: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ member: (_ name: String, _ value: Range<Int>) -> Void
    ) throws(RecordError) {
        try walk(buffer, range, opening: Sign.openBrace, or: .notAnObject) { grammar, start in
            grammar.members(of: start, depth: 1) { key, place in
                let end = grammar.skip(place, depth: 1)
                if end >= 0 { member(grammar.string(of: key), shifted(place..<end, by: range.lowerBound)) }
                return end
            }
        }
    }

    /// Tells of each element of the array that fills `range`, whitespace around it allowed.
    ///
    /// - Throws: What the grammar refuses, and `.unexpectedByte` at the beginning of what is no array; the offset counts from
    ///   the range's beginning.
    package static func ofArray(
        in buffer: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        _ element: (_ value: Range<Int>) -> Void
    ) throws(RecordError) {
        try walk(buffer, range, opening: Sign.openBracket, or: .unexpectedByte) { grammar, start in
            grammar.elements(of: start, depth: 1) { place in
                let end = grammar.skip(place, depth: 1)
                if end >= 0 { element(shifted(place..<end, by: range.lowerBound)) }
                return end
            }
        }
    }

    private static func walk(
        _ buffer: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        opening sign: UInt8,
        or code: RecordError.Code,
        _ body: (JSONGrammar, _ start: Int) -> Place
    ) throws(RecordError) {
        let end = ByteWindow.padded(buffer, range) { window -> Place in
            let grammar = JSONGrammar(bytes: window)
            let start = grammar.afterSpace(0)
            guard start < window.end else { return .failure(.truncated, at: window.end) }
            guard window[start] == sign else { return .failure(code, at: start) }
            let place = body(grammar, start)
            if place < 0 { return place }
            if place > window.end { return .failure(.truncated, at: window.end) }
            let rest = place == window.end ? place : grammar.afterSpace(place)
            return rest == window.end ? rest : .failure(.trailingBytes, at: rest)
        }
        guard end >= 0 else { throw end.error(end: range.count) }
    }

    /// A value that seems to end behind the text makes the walk fail; until then its range must be one.
    private static func shifted(_ range: Range<Int>, by offset: Int) -> Range<Int> {
        range.lowerBound + offset..<range.upperBound + offset
    }
}
