// The grammar of RFC 8259, token by token, over a window of bytes.

/// Reads tokens and says where they end; it builds nothing, so scanner and parser share it.
///
/// Every function takes a place at most a few bytes behind the end and answers with the next one, or with a failure. What is read
/// behind the end can only lead to a place behind the end, and no loop goes round without having stood before it.
@usableFromInline
package struct JSONGrammar {
    @usableFromInline package let bytes: ByteWindow

    @inlinable
    package init(bytes: ByteWindow) {
        self.bytes = bytes
    }

    /// A string without its quotes, and whether it holds escapes.
    @usableFromInline
    package struct Text {
        @usableFromInline package var start: Int
        /// The closing quote, or a failure.
        @usableFromInline package var end: Place
        @usableFromInline package var isEscaped: Bool

        @inlinable
        package init(start: Int, end: Place, isEscaped: Bool) {
            self.start = start
            self.end = end
            self.isEscaped = isEscaped
        }
    }

    /// The first place at or after `place` that is not whitespace.
    @inlinable @inline(__always)
    package func afterSpace(_ place: Int) -> Int {
        bytes[place] > Sign.space ? place : afterSpaces(place)
    }

    @usableFromInline @inline(never)
    func afterSpaces(_ start: Int) -> Int {
        var place = start
        while place < bytes.end {
            switch bytes[place] {
            case Sign.space, Sign.newline, Sign.carriageReturn, Sign.tab: place += 1
            default: return place
            }
        }
        return place
    }

    /// A string whose first byte after the quote is at `start`.
    @inlinable @inline(__always)
    package func text(_ start: Int) -> Text {
        var place = start
        var high: UInt64 = 0
        var isEscaped = false
        while place < bytes.end {
            let word = bytes.word(at: place)
            let stops = Self.stops(word)
            if stops == 0 {
                high |= word
                place += 8
                continue
            }
            // The bits below the first stop: only bytes before it belong to the string.
            high |= word & ((stops & (0 &- stops)) &- 1)
            place += stops.trailingZeroBitCount >> 3
            let sign = bytes[place]
            if sign == Sign.quote {
                // A quote behind the end closes nothing.
                guard place < bytes.end else { break }
                if high & Self.highBits != 0 {
                    let span = bytes.span(start..<place)
                    if !UTF8Check.accepts(span) { return refusedText(start, to: place) }
                }
                return Text(start: start, end: place, isEscaped: isEscaped)
            }
            guard sign == Sign.backslash else {
                return Text(start: start, end: .failure(.controlCharacter, at: place), isEscaped: isEscaped)
            }
            isEscaped = true
            place = afterEscape(place)
            if place < 0 { return Text(start: start, end: place, isEscaped: isEscaped) }
        }
        return Text(start: start, end: .failure(.truncated, at: bytes.end), isEscaped: isEscaped)
    }

    /// The string value whose opening quote is at `place`.
    @inlinable @inline(__always)
    package func string(_ place: Int) -> Place {
        let text = text(place + 1)
        return text.end < 0 ? text.end : text.end + 1
    }

    @usableFromInline @inline(never)
    func refusedText(_ start: Int, to end: Int) -> Text {
        let place = start + UTF8Check.firstRefused(bytes.span(start..<end))
        return Text(start: start, end: .failure(.invalidUTF8, at: place), isEscaped: false)
    }

    @inlinable @inline(__always)
    func afterEscape(_ place: Int) -> Place {
        switch bytes[place + 1] {
        case 0x22, 0x2F, 0x5C, 0x62, 0x66, 0x6E, 0x72, 0x74: place + 2  // " / \ b f n r t
        case 0x75: afterUnicodeEscape(place)
        default: .failure(.invalidEscape, at: place + 1)
        }
    }

    /// After `\uXXXX`, or after both halves of a surrogate pair.
    ///
    /// Half a pair is refused, as orjson refuses it: it is no text, and every strict reader after us would stop at it.
    @usableFromInline @inline(never)
    func afterUnicodeEscape(_ place: Int) -> Place {
        let end = bytes.end
        guard place + 6 < end else { return .failure(.truncated, at: end) }
        guard let first = hex(place + 2) else { return .failure(.invalidEscape, at: place) }
        guard 0xD800...0xDFFF ~= first else { return place + 6 }
        guard first < 0xDC00, bytes[place + 6] == Sign.backslash else { return .failure(.loneSurrogate, at: place) }
        guard place + 7 < end else { return .failure(.truncated, at: end) }
        guard bytes[place + 7] == 0x75 else { return .failure(.loneSurrogate, at: place) }
        guard place + 12 < end else { return .failure(.truncated, at: end) }
        guard let second = hex(place + 8) else { return .failure(.invalidEscape, at: place + 6) }
        return 0xDC00...0xDFFF ~= second ? place + 12 : .failure(.loneSurrogate, at: place)
    }

    /// The value of four hex digits.
    package func hex(_ place: Int) -> UInt32? {
        var value: UInt32 = 0
        for offset in 0..<4 {
            let byte = bytes[place + offset]
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    /// A number, starting with its minus or first digit.
    @inlinable @inline(__always)
    package func number(_ start: Int) -> Place {
        let first = bytes[start] == Sign.minus ? start + 1 : start
        var place = digitsEnd(first)
        if place == first {
            return .failure(first == start ? .unexpectedByte : .invalidNumber, at: first == start ? start : first)
        }
        if bytes[first] == Sign.zero, place > first + 1 { return .failure(.invalidNumber, at: first + 1) }
        if bytes[place] == Sign.point {
            let fraction = place + 1
            place = digitsEnd(fraction)
            if place == fraction { return .failure(.invalidNumber, at: fraction) }
        }
        return bytes[place] | 0x20 == 0x65 ? afterExponent(place) : place
    }

    @usableFromInline @inline(never)
    func afterExponent(_ place: Int) -> Place {
        let sign = bytes[place + 1]
        let digits = sign == 0x2B || sign == Sign.minus ? place + 2 : place + 1
        let end = digitsEnd(digits)
        return end == digits ? .failure(.invalidNumber, at: digits) : end
    }

    /// The first place at or after `start` that is no digit, eight bytes at a time.
    @inlinable @inline(__always)
    package func digitsEnd(_ start: Int) -> Int {
        var place = start
        while place < bytes.end {
            let others = others(than: bytes.word(at: place))
            if others != 0 { return place + others.trailingZeroBitCount >> 3 }
            place += 8
        }
        return place
    }

    /// The high bit of the first byte that is no digit; bits above it may be wrong.
    @inlinable @inline(__always)
    func others(than digits: UInt64) -> UInt64 {
        let values = digits ^ 0x3030_3030_3030_3030
        // Ten and above reach the high bit when 0x76 is added; what carries does so behind the first such byte.
        return (values | (values &+ 0x7676_7676_7676_7676)) & Self.highBits
    }

    @inlinable static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// The high bit of the first byte that is a quote, a backslash or a control character; bits above it may be wrong.
    @inlinable @inline(__always)
    static func stops(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ 0x2222_2222_2222_2222
        let backslashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let controls = word &- 0x2020_2020_2020_2020
        return ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | controls & ~word) & highBits
    }
}
