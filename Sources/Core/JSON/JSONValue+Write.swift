// From a tree to bytes.

extension JSONValue {
    public enum Style: Sendable {
        /// No whitespace at all; one line.
        case compact
        /// A line for each field and element, indented by two spaces, for people.
        case pretty
    }

    /// Appends the value; the same value always makes the same bytes.
    public func write(into bytes: inout [UInt8], style: Style = .compact) {
        write(into: &bytes, style, indent: 0)
    }

    /// The value as bytes of its own.
    public func bytes(style: Style = .compact) -> [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes, style: style)
        return bytes
    }

    private func write(into bytes: inout [UInt8], _ style: Style, indent: Int) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
        case .number(let number): bytes.append(contentsOf: number.text.utf8)
        case .string(let text): Self.write(text, into: &bytes)
        case .array(let elements):
            Self.write(elements, between: (Sign.openBracket, Sign.closeBracket), into: &bytes, style, indent) {
                element,
                bytes in
                element.write(into: &bytes, style, indent: indent + 1)
            }
        case .object(let object):
            Self.write(object.members, between: (Sign.openBrace, Sign.closeBrace), into: &bytes, style, indent) {
                member,
                bytes in
                Self.write(member.name, into: &bytes)
                bytes.append(Sign.colon)
                if style == .pretty { bytes.append(Sign.space) }
                member.value.write(into: &bytes, style, indent: indent + 1)
            }
        }
    }

    private static func write<Part>(
        _ parts: [Part],
        between signs: (open: UInt8, close: UInt8),
        into bytes: inout [UInt8],
        _ style: Style,
        _ indent: Int,
        _ write: (Part, inout [UInt8]) -> Void
    ) {
        bytes.append(signs.open)
        for (index, part) in parts.enumerated() {
            if index > 0 { bytes.append(Sign.comma) }
            breakLine(&bytes, style, indent + 1)
            write(part, &bytes)
        }
        if !parts.isEmpty { breakLine(&bytes, style, indent) }
        bytes.append(signs.close)
    }

    private static func breakLine(_ bytes: inout [UInt8], _ style: Style, _ indent: Int) {
        guard style == .pretty else { return }
        bytes.append(Sign.newline)
        bytes.append(contentsOf: repeatElement(Sign.space, count: 2 * indent))
    }

    /// Appends a text with its quotes.
    ///
    /// Quotes, backslashes and control characters are escaped, nothing else; what needs no escape is copied in runs.
    package static func write(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(Sign.quote)
        text.utf8.span.withUnsafeBytes { text in
            var from = 0
            while true {
                let end = plainEnd(text, from)
                bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[from..<end]))
                if end == text.count { break }
                bytes.append(Sign.backslash)
                bytes.append(contentsOf: escape(text[end]))
                from = end + 1
            }
        }
        bytes.append(Sign.quote)
    }

    /// Where the first byte stands that needs an escape, from a place on; eight are looked at together.
    private static func plainEnd(_ text: UnsafeRawBufferPointer, _ start: Int) -> Int {
        var place = start
        while place + 8 <= text.count {
            let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            // The lowest bit that is set is right; those above it may be borrowed.
            let found =
                (word &- ones &* UInt64(Sign.space)) & ~word | zeros(word ^ ones &* UInt64(Sign.quote))
                | zeros(word ^ ones &* UInt64(Sign.backslash))
            if found & highs != 0 { return place + (found & highs).trailingZeroBitCount / 8 }
            place += 8
        }
        while place < text.count, !needsEscape(text[place]) { place += 1 }
        return place
    }

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The high bit of each byte that is zero.
    private static func zeros(_ word: UInt64) -> UInt64 {
        (word &- ones) & ~word
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < Sign.space || byte == Sign.quote || byte == Sign.backslash
    }

    private static func escape(_ byte: UInt8) -> [UInt8] {
        switch byte {
        case 0x08: [0x62]
        case 0x09: [0x74]
        case 0x0A: [0x6E]
        case 0x0C: [0x66]
        case 0x0D: [0x72]
        case Sign.quote, Sign.backslash: [byte]
        default: [0x75, 0x30, 0x30, hexDigit(byte >> 4), hexDigit(byte & 15)]
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? Sign.zero + value : 0x61 + value - 10
    }
}

extension JSONValue: CustomStringConvertible {
    public var description: String {
        String(decoding: bytes(), as: UTF8.self)
    }
}
