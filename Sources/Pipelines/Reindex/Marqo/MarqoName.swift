// A user's field name where it stands in the text, with what it is looked up by.
import Glibc
import SluiceCore

/// A name's place and its fingerprints; those are of what it says, not of how it is escaped.
struct MarqoName {
    var start: Int
    var end: Int
    var isEscaped: Bool
    /// The first eight bytes, zeros behind a shorter name.
    var head: UInt64
    var hash: UInt32

    @inline(__always)
    init(_ grammar: JSONGrammar, _ start: Int, _ end: Int, isEscaped: Bool) {
        self.start = start
        self.end = end
        self.isEscaped = isEscaped
        if isEscaped {
            (head, hash) = Self.resolved(grammar, start..<end)
            return
        }
        let count = end - start
        head = MarqoKey.word(grammar.bytes, start, count)
        hash = Self.hash(head, count >= 8 ? grammar.bytes.word(at: end - 8) : head, count)
    }

    /// The fingerprints of bytes that stand in no text.
    init(of name: [UInt8]) {
        (start, end, isEscaped) = (0, name.count, false)
        var mark = Mark()
        for byte in name { mark.add(byte) }
        (head, hash) = mark.result
    }

    @inline(never)
    private static func resolved(_ grammar: JSONGrammar, _ range: Range<Int>) -> (UInt64, UInt32) {
        var mark = Mark()
        grammar.unescape(range) { byte in
            mark.add(byte)
            return true
        }
        return mark.result
    }

    /// By the name's length and both of its ends, for many names of one map share their first bytes.
    @inline(__always)
    private static func hash(_ head: UInt64, _ tail: UInt64, _ count: Int) -> UInt32 {
        let mixed = (head ^ (tail << 23 | tail >> 41) ^ UInt64(truncatingIfNeeded: count)) &* 0x9E37_79B9_7F4A_7C15
        return UInt32(truncatingIfNeeded: mixed >> 32)
    }

    /// The same fingerprints, byte by byte.
    private struct Mark {
        private var head: UInt64 = 0
        private var tail: UInt64 = 0
        private var count = 0

        mutating func add(_ byte: UInt8) {
            if count < 8 { head |= UInt64(byte) << UInt64(8 * count) }
            tail = tail >> 8 | UInt64(byte) << 56
            count += 1
        }

        var result: (UInt64, UInt32) { (head, MarqoName.hash(head, count >= 8 ? tail : head, count)) }
    }
}

extension JSONGrammar {
    /// Whether two names of the text say the same, given that their fingerprints do.
    @inline(__always)
    func isSame(_ left: MarqoName, _ start: Int, _ end: Int, isEscaped: Bool) -> Bool {
        if left.isEscaped || isEscaped { return saysSame(left.start..<left.end, start..<end) }
        let count = end - start
        guard left.end - left.start == count else { return false }
        return count <= 8 || equals(left.start, start, count)
    }

    /// Whether two spans of the text have the same bytes.
    func equals(_ left: Int, _ right: Int, _ count: Int) -> Bool {
        equals(left, bytes.span(right..<right + count))
    }

    /// Whether the text goes on with `name` at `start`, as far as `name` goes.
    func equals(_ start: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        guard let left = bytes.span(start..<start + name.count).baseAddress, let right = name.baseAddress else {
            return true
        }
        return memcmp(left, right, name.count) == 0
    }

    @inline(never)
    private func saysSame(_ left: Range<Int>, _ right: Range<Int>) -> Bool {
        resolved(left) == resolved(right)
    }

    /// What a text says, escapes resolved.
    func resolved(_ range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        unescape(range) { byte in
            bytes.append(byte)
            return true
        }
        return bytes
    }

    /// What a text says, for messages and comparisons.
    func string(_ range: Range<Int>) -> String {
        String(decoding: resolved(range), as: UTF8.self)
    }

    /// Where a text's first point stands, and where it goes on; nothing if it has none.
    @inline(__always)
    func firstPoint(_ range: Range<Int>, isEscaped: Bool) -> Range<Int>? {
        if isEscaped { return firstEscaped(Sign.point, times: 1, in: range) }
        var place = range.lowerBound
        while place < range.upperBound {
            let others = bytes.word(at: place) ^ 0x2E2E_2E2E_2E2E_2E2E
            let points = (others &- 0x0101_0101_0101_0101) & ~others & 0x8080_8080_8080_8080
            if points != 0 {
                place += points.trailingZeroBitCount >> 3
                return place < range.upperBound ? place..<place + 1 : nil
            }
            place += 8
        }
        return nil
    }

    /// Where a text's first `::` stands, and where it goes on; nothing if it has none.
    @inline(__always)
    func firstColons(_ range: Range<Int>, isEscaped: Bool) -> Range<Int>? {
        if isEscaped { return firstEscaped(Sign.colon, times: 2, in: range) }
        var place = range.lowerBound
        while place + 1 < range.upperBound {
            if bytes[place] == Sign.colon, bytes[place + 1] == Sign.colon { return place..<place + 2 }
            place += 1
        }
        return nil
    }

    /// Where a sign first stands so often in a row, be it escaped or not.
    @inline(never)
    private func firstEscaped(_ sign: UInt8, times: Int, in range: Range<Int>) -> Range<Int>? {
        var place = range.lowerBound
        var first = place
        var found = 0
        while place < range.upperBound {
            let isEscape = bytes[place] == Sign.backslash
            let escaped = isEscape ? escape(place) : (Unicode.Scalar(bytes[place]), next: place + 1)
            if escaped.0.value == UInt32(sign) {
                if found == 0 { first = place }
                found += 1
                if found == times { return first..<escaped.next }
            } else {
                found = 0
            }
            place = escaped.next
        }
        return nil
    }
}
