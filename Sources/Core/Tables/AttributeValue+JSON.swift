// How stored items are written as JSON that people can read and that loses nothing.

/// The readable encoding of items.
///
/// | value | JSON |
/// |---|---|
/// | null, bool, string, list, map | themselves |
/// | int | a number without `.` and without exponent: `12` |
/// | double | a number with `.` or exponent: `12.0`, `1e+20`; or `{"$double": "inf"}`, `"-inf"`, `"nan"` |
/// | bytes | `{"$bytes": "<base64>"}` |
///
/// A map's own key that begins with `$` gets one more `$`, so that it cannot be mistaken for a mark. Whole numbers stay
/// exact to 64 bits, doubles come back bit by bit (but for the payload of a NaN). Keys are written in the order of their
/// bytes, so that equal items are equal text.
package enum AttributeJSON {
    /// How deep lists and maps may nest, as in DynamoDB; deeper text is refused instead of exhausting the stack.
    package static let depthMax = 32

    /// So many attributes most items have; memory is taken for them at once, for growing hashes every name anew.
    static let membersUsual = 12

    package static func encode(_ item: AttributeMap) -> [UInt8] {
        var writer = AttributeWriter()
        writer.write(item)
        return writer.bytes
    }

    /// The item that the text holds, or nil if it is not the encoding of an item.
    package static func decode(_ bytes: UnsafeRawBufferPointer) -> AttributeMap? {
        var reader = AttributeReader(bytes)
        return reader.item()
    }

    package static func decode(_ bytes: [UInt8]) -> AttributeMap? {
        bytes.withUnsafeBytes { decode($0) }
    }
}

/// Writes values one after the other.
struct AttributeWriter {
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(256) }

    mutating func write(_ map: AttributeMap) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for (key, value) in map.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            write(key.utf8.first == UInt8(ascii: "$") ? "$" + key : key)
            bytes.append(UInt8(ascii: ":"))
            write(value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func write(_ value: AttributeValue) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .int(let number): bytes.append(contentsOf: String(number).utf8)
        case .double(let number): write(number)
        case .string(let text): write(text)
        case .bytes(let raw): writeMarked("$bytes", Base64.encode(raw))
        case .map(let map): write(map)
        case .list(let values):
            bytes.append(UInt8(ascii: "["))
            for (position, value) in values.enumerated() {
                if position > 0 { bytes.append(UInt8(ascii: ",")) }
                write(value)
            }
            bytes.append(UInt8(ascii: "]"))
        }
    }

    private mutating func write(_ number: Double) {
        guard number.isFinite else {
            writeMarked("$double", Array((number.isNaN ? "nan" : number > 0 ? "inf" : "-inf").utf8))
            return
        }
        // Swift's description is the shortest that reads back the same, and always has a point or an exponent.
        bytes.append(contentsOf: number.description.utf8)
    }

    private mutating func writeMarked(_ mark: String, _ text: [UInt8]) {
        bytes.append(contentsOf: "{\"\(mark)\":\"".utf8)
        bytes.append(contentsOf: text)
        bytes.append(contentsOf: "\"}".utf8)
    }

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var start = 0
            for (position, byte) in utf8.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: utf8[start..<position])
                start = position + 1
                escape(byte)
            }
            bytes.append(contentsOf: utf8[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x22, 0x5C: bytes.append(byte)
        default:
            let digits = String(byte, radix: 16)
            bytes.append(contentsOf: (byte < 0x10 ? "u000" : "u00").utf8)
            bytes.append(contentsOf: digits.utf8)
        }
    }
}
