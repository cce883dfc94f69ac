// From fields found to the document written: id first, then what is wanted of the rest in the order it was found.
import SluiceCore

extension MarqoWalk {
    /// Hides what a patch does not send; answers whether the document is to be written at all.
    ///
    /// Whether all fields asked after are there is asked of the whole document, before a patch leaves any out: the
    /// question is what the document has, and a patch that sends only fields it lacks would never skip one. They are
    /// the names that a client sees, so a map counts by its own name; its value may be anything, `false`, `0` and `""` too.
    mutating func select() -> Bool {
        guard plan.selects else { return true }
        var seen = plan.present
        var kept = 0
        for index in 0..<fields.count where !fields[index].isHidden {
            let field = fields[index]
            let name = MarqoName(
                grammar,
                Int(field.nameStart),
                Int(field.nameEnd),
                isEscaped: field.isNameEscaped
            )
            let known = plan.find(name, in: grammar).map { plan.known[$0] }
            seen |= known?.presence ?? 0
            if plan.keepsAll || known?.isKept == true { kept += 1 } else { fields[index].isHidden = true }
        }
        if plan.asked != 0, seen == plan.asked { return false }
        // A patch without a field would change nothing.
        return plan.keepsAll || kept > 0
    }

    /// Writes the document; `room` says how much it takes at most.
    func write(to output: UnsafeMutablePointer<UInt8>) -> (length: Int, id: Range<Int>) {
        guard let id else { return (0, 0..<0) }
        var pen = MarqoPen(grammar.bytes, output)
        pen.write("{\"_id\":\"")
        var idRange = pen.count..<pen.count + id.end - id.start
        pen.copy(id.start, id.end + 1 - id.start)
        // An id taken from Vespa's has the same quote behind it.
        for index in 0..<fields.count {
            let field = fields[index]
            if field.isHidden { continue }
            pen.write(",\"")
            write(field, with: &pen)
        }
        pen.write("}")
        if copiesStructure { OneLine.join(output, count: &pen.count, id: &idRange) }
        return (pen.count, idRange)
    }

    /// A field from its name on; the quote before it is written.
    @inline(__always)
    private func write(_ field: MarqoField, with pen: inout MarqoPen) {
        let name = Int(field.nameStart)
        let nameEnd = Int(field.nameEnd)
        let value = Int(field.valueStart)
        if field.form == .copied {
            // Where nothing but quote and colon is between name and value, both are one copy.
            if value == nameEnd + 2 {
                pen.copy(name, Int(field.valueEnd) - name)
                return
            }
            pen.copy(name, nameEnd - name)
            pen.write("\":")
            pen.copy(value, Int(field.valueEnd) - value)
            return
        }
        pen.copy(name, nameEnd - name)
        switch field.form {
        case .copied: break
        case .yes: pen.write("\":true")
        case .no: pen.write("\":false")
        case .list:
            pen.write("\":[")
            parts(of: field, with: &pen) { part, pen in
                pen.write("\"")
                pen.copy(Int(part.valueStart), Int(part.valueEnd - part.valueStart))
            }
            pen.write("]")
        case .map:
            pen.write("\":{")
            parts(of: field, with: &pen) { part, pen in
                pen.write("\"")
                write(part, with: &pen)
            }
            pen.write("}")
        }
    }

    @inline(__always)
    private func parts(
        of field: MarqoField,
        with pen: inout MarqoPen,
        _ write: (MarqoField, inout MarqoPen) -> Void
    ) {
        var index = field.first
        while index >= 0 {
            let part = fields[Int(index)]
            if index != field.first { pen.write(",") }
            write(part, &pen)
            index = part.next
        }
    }
}

/// Writes into memory that is large enough for all that will be written and `ByteWindow.copySlack` more.
struct MarqoPen {
    private let bytes: ByteWindow
    private let output: UnsafeMutableRawPointer
    var count = 0

    init(_ bytes: ByteWindow, _ output: UnsafeMutablePointer<UInt8>) {
        self.bytes = bytes
        self.output = UnsafeMutableRawPointer(output)
    }

    /// Copies bytes of the text.
    @inline(__always)
    mutating func copy(_ start: Int, _ length: Int) {
        bytes.copy(start, length, to: output + count)
        count += length
    }

    @inline(__always)
    mutating func write(_ text: StaticString) {
        (output + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }
}
