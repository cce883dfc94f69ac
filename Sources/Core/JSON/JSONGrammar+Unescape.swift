// What a string says once its escapes are resolved.

extension JSONGrammar {
    /// Hands on the bytes of a text that `text` has accepted, escapes resolved; `take` answers whether it wants more.
    @inlinable @inline(__always)
    package func unescape(_ range: Range<Int>, _ take: (UInt8) -> Bool) {
        var place = range.lowerBound
        while place < range.upperBound {
            let byte = bytes[place]
            if byte != Sign.backslash {
                guard take(byte) else { return }
                place += 1
                continue
            }
            let (scalar, next) = escape(place)
            for byte in scalar.utf8 {
                guard take(byte) else { return }
            }
            place = next
        }
    }

    /// The text as a string; without escapes it is one copy.
    package func string(of text: Text) -> String {
        let range = text.start..<text.end
        guard text.isEscaped else { return String(decoding: bytes.span(range), as: UTF8.self) }
        return String(unsafeUninitializedCapacity: range.count) { buffer in
            // Resolved text is never longer than escaped text.
            var count = 0
            unescape(range) { byte in
                buffer[count] = byte
                count += 1
                return true
            }
            return count
        }
    }

    /// Whether an escaped text says `name`.
    package func says(_ range: Range<Int>, _ name: some Collection<UInt8>) -> Bool {
        var rest = name.makeIterator()
        var isSame = true
        unescape(range) { byte in
            isSame = rest.next() == byte
            return isSame
        }
        return isSame && rest.next() == nil
    }

    /// What the escape at `place` says, in a text that `text` has accepted, and where the text goes on.
    @usableFromInline package func escape(_ place: Int) -> (Unicode.Scalar, next: Int) {
        switch bytes[place + 1] {
        case 0x62: ("\u{8}", place + 2)
        case 0x66: ("\u{C}", place + 2)
        case 0x6E: ("\n", place + 2)
        case 0x72: ("\r", place + 2)
        case 0x74: ("\t", place + 2)
        case 0x75: unicodeEscape(place)
        case let same: (Unicode.Scalar(same), place + 2)
        }
    }

    private func unicodeEscape(_ place: Int) -> (Unicode.Scalar, next: Int) {
        let first = hex(place + 2) ?? 0xFFFD
        if let scalar = Unicode.Scalar(first) { return (scalar, place + 6) }
        // A pair: its first half is no scalar, and the grammar has made sure of the second.
        let second = hex(place + 8) ?? 0xDC00
        let scalar = Unicode.Scalar(0x10000 + (first & 0x3FF) << 10 + second & 0x3FF)
        return (scalar ?? "\u{FFFD}", place + 12)
    }
}
