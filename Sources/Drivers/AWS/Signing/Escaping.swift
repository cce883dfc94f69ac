// Percent-escapes as Signature Version 4 wants them: everything but the unreserved characters, in upper case.

/// Escapes bytes of paths and queries.
enum Escaping {
    /// Bytes 0 to 63 that stay: `-`, `.`, the digits; the slash only in paths.
    private static let low: UInt64 = 0x03FF_6000_0000_0000
    private static let slash: UInt64 = 1 << 47
    /// Bytes 64 to 127 that stay: letters, `_`, `~`.
    private static let high: UInt64 = 0x47FF_FFFE_87FF_FFFE

    /// Appends the bytes, escaped; a path keeps its slashes.
    @inline(__always)
    static func append(_ bytes: UnsafeBufferPointer<UInt8>, isPath: Bool, to text: inout [UInt8]) {
        let low = isPath ? low | slash : low
        var from = 0
        for place in bytes.indices {
            let byte = bytes[place]
            let word = byte < 64 ? low : byte < 128 ? high : 0
            if word >> UInt64(byte & 63) & 1 == 1 { continue }
            text.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[from..<place]))
            text.append(UInt8(ascii: "%"))
            text.append(Hex.upper(byte >> 4))
            text.append(Hex.upper(byte & 15))
            from = place + 1
        }
        text.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[from...]))
    }

    /// A part of a query, or one part of a path.
    static func escaped(_ text: String) -> String { escaped(text, isPath: false) }

    /// A path of several parts.
    static func escapedPath(_ text: String) -> String { escaped(text, isPath: true) }

    private static func escaped(_ text: String, isPath: Bool) -> String {
        var text = text
        var bytes: [UInt8] = []
        text.withUTF8 { append($0, isPath: isPath, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Bytes as hexadecimal digits.
enum Hex {
    @inline(__always)
    static func upper(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 55 + value }

    @inline(__always)
    static func lower(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    /// Writes two digits for each byte to where `digits` begins, which must have the room.
    @inline(__always)
    static func write(_ bytes: UnsafeRawBufferPointer, to digits: UnsafeMutableBufferPointer<UInt8>) {
        for place in bytes.indices {
            digits[2 * place] = lower(bytes[place] >> 4)
            digits[2 * place + 1] = lower(bytes[place] & 15)
        }
    }

    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { digits in
            write(bytes, to: digits)
            return 2 * bytes.count
        }
    }
}
