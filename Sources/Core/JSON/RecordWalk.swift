// One record's way through the grammar: what is read, what is copied, what is left out.

/// The state of one pass over one record.
///
/// Copies lazily: bytes from `from` on are wanted and not yet copied, so that a run of kept fields is one copy.
/// Unsafe for its output: the caller gives as much room as the record is long, and every byte is copied at most once. A comma
/// written after a gap stands for one in the gap.
struct RecordWalk {
    /// What became of the record; `id` counts from where the output begins.
    struct Outcome {
        var end: Place = 0
        var length = 0
        var id: Range<Int> = 0..<0
        var seen: UInt64 = 0
    }

    private let grammar: JSONGrammar
    private let plan: SelectionPlan.Tables
    private let output: UnsafeMutablePointer<UInt8>
    private var count = 0
    private var from = 0
    private var id: Range<Int>?
    private var seen: UInt64 = 0

    init(_ grammar: JSONGrammar, _ plan: SelectionPlan.Tables, _ output: UnsafeMutablePointer<UInt8>) {
        self.grammar = grammar
        self.plan = plan
        self.output = output
    }

    mutating func run() -> Outcome {
        let bytes = grammar.bytes
        let start = grammar.afterSpace(0)
        guard start < bytes.end else { return Outcome(end: .failure(.truncated, at: bytes.end)) }
        guard bytes[start] == Sign.openBrace else { return Outcome(end: .failure(.notAnObject, at: start)) }
        from = start
        let end = record(start)
        if end < 0 { return Outcome(end: end) }
        if end > bytes.end { return Outcome(end: .failure(.truncated, at: bytes.end)) }
        let rest = end == bytes.end ? end : grammar.afterSpace(end)
        guard rest == bytes.end else { return Outcome(end: .failure(.trailingBytes, at: rest)) }
        guard var id else { return Outcome(end: .failure(.missingID, at: end - 1)) }
        copy(to: end)
        OneLine.join(output, count: &count, id: &id)
        return Outcome(end: end, length: count, id: id, seen: seen)
    }

    /// The record itself: what is done with its fields, the id among them.
    private mutating func record(_ start: Int) -> Place {
        let grammar = grammar
        var gap = Gap()
        let end = grammar.members(of: start, depth: 1) { key, value in
            guard let index = find(key, in: 0) else {
                if plan.writesOthers {
                    close(&gap, at: key.start - 1)
                    let end = grammar.skip(value, depth: 1)
                    gap.lastEnd = end
                    return end
                }
                open(&gap, at: key.start - 1)
                return grammar.skip(value, depth: 1)
            }
            let entry = plan.entries[index]
            // Asked of the whole record, whatever of it is written.
            seen |= entry.presence
            guard entry.isWritten else {
                open(&gap, at: key.start - 1)
                return grammar.skip(value, depth: 1)
            }
            close(&gap, at: key.start - 1)
            let end =
                entry.isID
                ? readID(value, of: key)
                : entry.child >= 0 ? prune(value, node: entry.child, depth: 1) : grammar.skip(value, depth: 1)
            gap.lastEnd = end
            return end
        }
        finish(gap, at: end - 1)
        return end
    }

    /// A value in which fields may leave; arrays pass the node on to their elements.
    private mutating func prune(_ place: Int, node: Int32, depth: Int) -> Place {
        let grammar = grammar
        switch grammar.bytes[place] {
        case Sign.openBracket:
            return grammar.elements(of: place, depth: depth + 1) { value in
                prune(value, node: node, depth: depth + 1)
            }
        case Sign.openBrace:
            var gap = Gap()
            let end = grammar.members(of: place, depth: depth + 1) { key, value in
                var child = SelectionPlan.noNode
                if let index = find(key, in: Int(node)) {
                    child = plan.entries[index].child
                    if child < 0 {
                        open(&gap, at: key.start - 1)
                        return grammar.skip(value, depth: depth + 1)
                    }
                }
                close(&gap, at: key.start - 1)
                let end =
                    child >= 0
                    ? prune(value, node: child, depth: depth + 1) : grammar.skip(value, depth: depth + 1)
                gap.lastEnd = end
                return end
            }
            finish(gap, at: end - 1)
            return end
        default:
            return grammar.scalar(place)
        }
    }

    private mutating func readID(_ place: Int, of key: JSONGrammar.Text) -> Place {
        guard id == nil else { return .failure(.duplicateID, at: key.start - 1) }
        let first = grammar.bytes[place]
        if first == Sign.quote {
            let text = grammar.text(place + 1)
            if text.end < 0 { return text.end }
            if text.end == text.start { return .failure(.emptyID, at: place) }
            id = written(text.start)..<written(text.end)
            return text.end + 1
        }
        let end = grammar.skip(place, depth: 1)
        if end < 0 { return end }
        guard end < grammar.bytes.end else { return .failure(.truncated, at: grammar.bytes.end) }
        let digits = first == Sign.minus ? place + 1 : place
        guard grammar.digitsEnd(digits) == end else { return .failure(.invalidID, at: place) }
        id = written(place)..<written(end)
        return end
    }

    /// Where a wanted place will stand in the output.
    private func written(_ place: Int) -> Int { count + place - from }
}

// MARK: - Looking up keys

extension RecordWalk {
    /// The entry for a key at a level, if the selection has one.
    @inline(__always)
    private func find(_ key: JSONGrammar.Text, in node: Int) -> Int? {
        let node = plan.nodes[node]
        if key.isEscaped { return findEscaped(key, in: node) }
        let length = key.end - key.start
        // The window is readable behind the key; what does not belong to it is masked off.
        let mask = length >= 8 ? UInt64.max : 1 &<< UInt64(truncatingIfNeeded: 8 &* length) &- 1
        let head = grammar.bytes.word(at: key.start) & mask
        guard node.filter & SelectionPlan.filterBit(head: head, length: length) != 0 else { return nil }
        return find(head, key.start..<key.end, in: node)
    }

    @inline(never)
    private func find(_ head: UInt64, _ key: Range<Int>, in node: SelectionPlan.Node) -> Int? {
        for index in node.entries {
            let entry = plan.entries[Int(index)]
            guard entry.head == head, entry.name.count == key.count else { continue }
            guard key.count > 8 else { return Int(index) }
            if grammar.bytes.span(key).elementsEqual(plan.name(of: entry)) { return Int(index) }
        }
        return nil
    }

    @inline(never)
    private func findEscaped(_ key: JSONGrammar.Text, in node: SelectionPlan.Node) -> Int? {
        for index in node.entries {
            if grammar.says(key.start..<key.end, plan.name(of: plan.entries[Int(index)])) { return Int(index) }
        }
        return nil
    }
}

// MARK: - Leaving out

extension RecordWalk {
    /// Where in an object the output stands: behind a kept field, or in a gap that dropped fields leave.
    private struct Gap {
        /// The end of the last field that was kept, or nothing if none was.
        var lastEnd = -1
        var isOpen = false
    }

    /// A field leaves: everything up to the last kept field's end is copied, and the field with its comma is not.
    @inline(__always)
    private mutating func open(_ gap: inout Gap, at field: Int) {
        if gap.isOpen { return }
        copy(to: gap.lastEnd >= 0 ? gap.lastEnd : field)
        gap.isOpen = true
    }

    /// A field stays: after a gap, copying starts again with it.
    @inline(__always)
    private mutating func close(_ gap: inout Gap, at field: Int) {
        guard gap.isOpen else { return }
        if gap.lastEnd >= 0 {
            output[count] = Sign.comma
            count += 1
        }
        from = field
        gap.isOpen = false
    }

    /// The object ends: after a gap, copying starts again with its brace.
    @inline(__always)
    private mutating func finish(_ gap: Gap, at brace: Int) {
        if gap.isOpen { from = brace }
    }

    @inline(__always)
    private mutating func copy(to place: Int) {
        let span = grammar.bytes.span(from..<max(from, place))
        UnsafeMutableRawBufferPointer(start: output + count, count: span.count).copyMemory(from: span)
        count += span.count
    }
}
