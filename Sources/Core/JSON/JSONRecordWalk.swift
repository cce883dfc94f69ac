// Says where the records of a JSON text lie that holds them in an array, building nothing.

/// One pass over a text such as `{"documents":[{"_id":"a",…},…]}`.
package enum JSONRecordWalk {
    /// One element of the array.
    package struct Element {
        /// From the element's first byte to behind its last.
        package var range: Range<Int>
        /// Where the value of the key stands, of several the last; nil if the element is no object or has no such member.
        package var key: Range<Int>?
    }

    /// Tells of each element of the array that the text's outermost object has under `array`.
    ///
    /// The whole text is checked, but elements are told of as they are met: before an error behind them is found. Of a
    /// repeated member `array` every one is walked. The text lies in a range of the bytes, and the places told of count from
    /// its start; 64 more bytes behind it in the same buffer spare a copy.
    ///
    /// - Returns: Whether there was such an array.
    /// - Throws: `RecordError` if the text is no JSON object.
    package static func walk(
        _ bytes: UnsafeRawBufferPointer,
        _ range: Range<Int>,
        array: StaticString,
        key: StaticString,
        _ each: (Element) -> Void
    ) throws(RecordError) -> Bool {
        var found = false
        let place = ByteWindow.padded(bytes, range) { window in
            let walker = Walker(grammar: JSONGrammar(bytes: window), array: array, key: key)
            return walker.walk(&found, each)
        }
        guard place >= 0 else { throw place.error(end: range.count) }
        return found
    }
}

private struct Walker {
    let grammar: JSONGrammar
    let array: StaticString
    let key: StaticString

    func walk(_ found: inout Bool, _ each: (JSONRecordWalk.Element) -> Void) -> Place {
        let start = grammar.afterSpace(0)
        guard grammar.bytes[start] == Sign.openBrace else { return .failure(.notAnObject, at: start) }
        let end = grammar.members(of: start, depth: 1) { name, value in
            guard says(name, array), grammar.bytes[value] == Sign.openBracket else {
                return grammar.skip(value, depth: 1)
            }
            found = true
            return grammar.elements(of: value, depth: 2) { element($0, each) }
        }
        if end < 0 { return end }
        if end > grammar.bytes.end { return .failure(.truncated, at: grammar.bytes.end) }
        let rest = grammar.afterSpace(end)
        return rest >= grammar.bytes.end ? end : .failure(.trailingBytes, at: rest)
    }

    private func element(_ start: Int, _ each: (JSONRecordWalk.Element) -> Void) -> Place {
        var keyRange: Range<Int>?
        let end: Place
        if grammar.bytes[start] == Sign.openBrace {
            end = grammar.members(of: start, depth: 3) { name, value in
                let end = grammar.skip(value, depth: 3)
                if end >= 0, says(name, key) { keyRange = value..<end }
                return end
            }
        } else {
            end = grammar.skip(start, depth: 2)
        }
        if end >= 0, end <= grammar.bytes.end { each(JSONRecordWalk.Element(range: start..<end, key: keyRange)) }
        return end
    }

    @inline(__always)
    private func says(_ text: JSONGrammar.Text, _ name: StaticString) -> Bool {
        let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        if text.isEscaped { return grammar.says(text.start..<text.end, wanted) }
        return text.end - text.start == wanted.count
            && grammar.bytes.span(text.start..<text.end).elementsEqual(wanted)
    }
}
