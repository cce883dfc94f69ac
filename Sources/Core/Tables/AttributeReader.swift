// Reads the JSON of stored items back into their attributes.

/// Reads one item; answers nil for text that `AttributeJSON.encode` would not write, whitespace aside.
struct AttributeReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    mutating func item() -> AttributeMap? {
        guard next() == UInt8(ascii: "{"), let map = members() else { return nil }
        skipSpace()
        return position == bytes.count ? map : nil
    }

    private mutating func value() -> AttributeValue? {
        guard let byte = next() else { return nil }
        switch byte {
        case UInt8(ascii: "\""): return text().map(AttributeValue.string)
        case UInt8(ascii: "{"): return mapOrMarked()
        case UInt8(ascii: "["): return list()
        case UInt8(ascii: "t"): return word("rue") ? .bool(true) : nil
        case UInt8(ascii: "f"): return word("alse") ? .bool(false) : nil
        case UInt8(ascii: "n"): return word("ull") ? .null : nil
        default: return number(from: position - 1)
        }
    }

    /// A map, or what stands behind the mark if its only key is one.
    private mutating func mapOrMarked() -> AttributeValue? {
        let start = position
        if next() == UInt8(ascii: "\""), position < bytes.count, bytes[position] == UInt8(ascii: "$"),
            let mark = text(), !mark.utf8.starts(with: "$$".utf8)
        {
            guard next() == UInt8(ascii: ":"), next() == UInt8(ascii: "\""), let marked = text(),
                next() == UInt8(ascii: "}")
            else { return nil }
            return unmark(mark, marked)
        }
        position = start
        return members().map(AttributeValue.map)
    }

    private func unmark(_ mark: String, _ text: String) -> AttributeValue? {
        switch (mark, text) {
        case ("$bytes", _): Base64.decode(text.utf8).map(AttributeValue.bytes)
        case ("$double", "nan"): .double(.nan)
        case ("$double", "inf"): .double(.infinity)
        case ("$double", "-inf"): .double(-.infinity)
        default: nil
        }
    }

    private mutating func members() -> AttributeMap? {
        guard enter() else { return nil }
        defer { depth -= 1 }
        if peek() == UInt8(ascii: "}") {
            position += 1
            return [:]
        }
        var map = AttributeMap(minimumCapacity: AttributeJSON.membersUsual)
        while true {
            guard next() == UInt8(ascii: "\""), let key = text(), next() == UInt8(ascii: ":"), let value = value()
            else { return nil }
            if key.utf8.first == UInt8(ascii: "$") {
                guard key.utf8.starts(with: "$$".utf8) else { return nil }
                map[String(Substring(key.utf8.dropFirst()))] = value
            } else {
                map[key] = value
            }
            switch next() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "}"): return map
            default: return nil
            }
        }
    }

    private mutating func list() -> AttributeValue? {
        guard enter() else { return nil }
        defer { depth -= 1 }
        var values: [AttributeValue] = []
        if peek() == UInt8(ascii: "]") {
            position += 1
            return .list(values)
        }
        while true {
            guard let value = value() else { return nil }
            values.append(value)
            switch next() {
            case UInt8(ascii: ","): continue
            case UInt8(ascii: "]"): return .list(values)
            default: return nil
            }
        }
    }

    private mutating func enter() -> Bool {
        depth += 1
        return depth <= AttributeJSON.depthMax + 1
    }

    /// A string whose opening quote has been read.
    private mutating func text() -> String? {
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                return Self.string(UnsafeRawBufferPointer(rebasing: bytes[start..<position - 1]))
            }
            if byte == UInt8(ascii: "\\") {
                position -= 1
                return escapedText(from: start)
            }
        }
        return nil
    }

    private mutating func escapedText(from start: Int) -> String? {
        var plain = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return plain.withUnsafeBytes(Self.string) }
            guard byte == UInt8(ascii: "\\") else {
                plain.append(byte)
                continue
            }
            guard let scalar = escape() else { return nil }
            plain.append(contentsOf: String(Character(scalar)).utf8)
        }
        return nil
    }

    private static func string(_ text: UnsafeRawBufferPointer) -> String? {
        UTF8Check.accepts(text) ? String(decoding: text, as: UTF8.self) : nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard position < bytes.count else { return nil }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "u"):
            guard let unit = codeUnit() else { return nil }
            guard UTF16.isLeadSurrogate(unit) else { return Unicode.Scalar(unit) }
            // We write no such pairs, but those do who mend an item by hand.
            guard word("\\u"), let second = codeUnit(), UTF16.isTrailSurrogate(second) else { return nil }
            return Unicode.Scalar(0x10000 + UInt32(unit - 0xD800) << 10 + UInt32(second - 0xDC00))
        default: return nil
        }
    }

    private mutating func codeUnit() -> UInt16? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = bytes[position..<position + 4]
        position += 4
        // By themselves: an initialiser would take a sign too.
        return digits.reduce(UInt16?.some(0)) { value, digit in
            guard let value, let digit = Character(Unicode.Scalar(digit)).hexDigitValue else { return nil }
            return value << 4 | UInt16(digit)
        }
    }

    private mutating func number(from start: Int) -> AttributeValue? {
        var isWhole = true
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"):
                isWhole = false
            default: return number(start..<position, isWhole: isWhole)
            }
            position += 1
        }
        return number(start..<position, isWhole: isWhole)
    }

    private func number(_ range: Range<Int>, isWhole: Bool) -> AttributeValue? {
        let digits = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        return isWhole ? Int64(digits).map(AttributeValue.int) : Double(digits).map(AttributeValue.double)
    }

    private mutating func word(_ rest: StaticString) -> Bool {
        let count = rest.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        let matches = rest.withUTF8Buffer { $0.elementsEqual(bytes[position..<position + count]) }
        position += count
        return matches
    }

    private mutating func next() -> UInt8? {
        guard let byte = peek() else { return nil }
        position += 1
        return byte
    }

    /// The next byte that is not whitespace.
    private mutating func peek() -> UInt8? {
        skipSpace()
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }
}
