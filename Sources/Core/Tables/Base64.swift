// Bytes as text of sixty-four letters, RFC 4648 with padding.

/// Base64 in the standard alphabet.
package enum Base64 {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xFF, count: 256)
        for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var position = 0
        while position < bytes.count {
            let count = min(3, bytes.count - position)
            var word = UInt32(bytes[position]) << 16
            if count > 1 { word |= UInt32(bytes[position + 1]) << 8 }
            if count > 2 { word |= UInt32(bytes[position + 2]) }
            text.append(letters[Int(word >> 18)])
            text.append(letters[Int(word >> 12 & 63)])
            text.append(count > 1 ? letters[Int(word >> 6 & 63)] : padding)
            text.append(count > 2 ? letters[Int(word & 63)] : padding)
            position += 3
        }
        return text
    }

    /// The bytes, or nil if the text is not padded Base64.
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var word: UInt32 = 0
        var bits = 0
        var pads = 0
        for letter in text {
            if letter == padding {
                pads += 1
                continue
            }
            let value = values[Int(letter)]
            guard pads == 0, value != 0xFF else { return nil }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return pads <= 2 ? bytes : nil
    }
}
