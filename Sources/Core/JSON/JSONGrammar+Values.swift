// The grammar's second half: values, and how objects and arrays are walked.

extension JSONGrammar {
    /// Walks the object whose brace is at `start`; `member` is told of each key and answers with the end of its value.
    ///
    /// `depth` is how many objects and arrays are open, this one included.
    @inlinable @inline(__always)
    package func members(of start: Int, depth: Int, _ member: (_ key: Text, _ value: Int) -> Place) -> Place {
        guard depth <= JSONLimit.depthMax else { return .failure(.tooDeep, at: start) }
        var place = afterSpace(start + 1)
        if bytes[place] == Sign.closeBrace { return place + 1 }
        while true {
            guard bytes[place] == Sign.quote else { return .failure(.unexpectedByte, at: place) }
            let key = text(place + 1)
            if key.end < 0 { return key.end }
            var value = afterSpace(key.end + 1)
            guard bytes[value] == Sign.colon else { return .failure(.unexpectedByte, at: value) }
            value = afterSpace(value + 1)
            place = member(key, value)
            if place < 0 { return place }
            place = afterSpace(place)
            let sign = bytes[place]
            if sign == Sign.comma {
                place = afterSpace(place + 1)
                continue
            }
            return sign == Sign.closeBrace ? place + 1 : .failure(.unexpectedByte, at: place)
        }
    }

    /// Walks the array whose bracket is at `start`; `element` is told where each begins and answers with its end.
    @inlinable @inline(__always)
    package func elements(of start: Int, depth: Int, _ element: (_ value: Int) -> Place) -> Place {
        guard depth <= JSONLimit.depthMax else { return .failure(.tooDeep, at: start) }
        var place = afterSpace(start + 1)
        if bytes[place] == Sign.closeBracket { return place + 1 }
        while true {
            // Objects need a key to go round, and a key is never read from behind the end; elements need this.
            guard place < bytes.end else { return .failure(.truncated, at: bytes.end) }
            place = element(place)
            if place < 0 { return place }
            place = afterSpace(place)
            let sign = bytes[place]
            if sign == Sign.comma {
                place = afterSpace(place + 1)
                continue
            }
            return sign == Sign.closeBracket ? place + 1 : .failure(.unexpectedByte, at: place)
        }
    }

    /// The end of the value at `place`, all of it read and none of it kept; `depth` is how many objects and arrays are open.
    @inlinable @inline(__always)
    package func skip(_ place: Int, depth: Int) -> Place {
        // Most values are strings; they need no call.
        bytes[place] == Sign.quote ? string(place) : skipOther(place, depth: depth)
    }

    @usableFromInline @inline(never)
    func skipOther(_ place: Int, depth: Int) -> Place {
        switch bytes[place] {
        case Sign.openBrace: members(of: place, depth: depth + 1) { _, value in skip(value, depth: depth + 1) }
        case Sign.openBracket: skipElements(of: place, depth: depth + 1)
        default: scalar(place)
        }
    }

    /// An array whose elements matter to nobody; numbers are read in place, for vectors are thousands of them.
    private func skipElements(of start: Int, depth: Int) -> Place {
        elements(of: start, depth: depth) { value in
            let first = bytes[value] == Sign.minus ? value &+ 1 : value
            // A vector's number is one digit, a point and many digits: read without a branch that signs and lengths decide.
            guard bytes[first] &- Sign.zero < 10, bytes[first &+ 1] == Sign.point else {
                return skip(value, depth: depth)
            }
            let fraction = first &+ 2
            var place = fraction &+ digits(fraction)
            if place == fraction { return .failure(.invalidNumber, at: fraction) }
            if place == fraction &+ Self.digitsMax { place = digitsEnd(place) }
            return bytes[place] | 0x20 == 0x65 ? afterExponent(place) : place
        }
    }

    private static let digitsMax = 24

    /// How many digits stand at `place`, up to 24.
    @inline(__always)
    private func digits(_ place: Int) -> Int {
        let first = digits(ofWordAt: place)
        let second = digits(ofWordAt: place &+ 8)
        let third = digits(ofWordAt: place &+ 16)
        // A count of 8 lets the next word count, which its fourth bit says.
        let goesOn = 0 &- (first &>> 3)
        return first &+ (second & goesOn) &+ (third & goesOn & (0 &- (second &>> 3)))
    }

    @inline(__always)
    private func digits(ofWordAt place: Int) -> Int {
        others(than: bytes.word(at: place)).trailingZeroBitCount &>> 3
    }

    /// The end of the string, number or literal at `place`.
    @inlinable @inline(__always)
    package func scalar(_ place: Int) -> Place {
        switch bytes[place] {
        case Sign.quote: string(place)
        // "true", "null", "fals" and "e"; in a word the first letter is lowest.
        case 0x74: literal(place, 0x6575_7274, length: 4)
        case 0x6E: literal(place, 0x6C6C_756E, length: 4)
        case 0x66: bytes[place + 4] == 0x65 ? literal(place, 0x736C_6166, length: 5) : misspelt(place)
        default: place < bytes.end ? number(place) : .failure(.truncated, at: bytes.end)
        }
    }

    @inlinable @inline(__always)
    func literal(_ place: Int, _ letters: UInt32, length: Int) -> Place {
        bytes.half(at: place) == letters && place + length <= bytes.end ? place + length : misspelt(place)
    }

    /// Truncated if the text ends within the word, else at fault where the word starts.
    @usableFromInline @inline(never)
    func misspelt(_ place: Int) -> Place {
        let word: [UInt8] =
            switch bytes[place] {
            case 0x74: Array("true".utf8)
            case 0x66: Array("false".utf8)
            default: Array("null".utf8)
            }
        let rest = max(0, min(word.count, bytes.end - place))
        for offset in 0..<rest where bytes[place + offset] != word[offset] {
            return .failure(.unexpectedByte, at: place + offset)
        }
        return .failure(.truncated, at: bytes.end)
    }
}
