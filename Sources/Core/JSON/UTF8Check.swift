// Whether bytes are UTF-8, without a branch for each of them.

/// A state machine over bytes whose nine states are shifts into a row: one load and one shift a byte.
///
/// Bytes of mixed scripts defeat branch prediction; a dependent shift does not care.
@usableFromInline
package enum UTF8Check {
    /// States, as bit offsets into a row.
    ///
    /// Zero refuses, so a transition that nobody wrote refuses for good.
    private enum State {
        static let refused: UInt64 = 0
        static let between: UInt64 = 6
        static let oneMore: UInt64 = 12
        static let twoMore: UInt64 = 18
        static let threeMore: UInt64 = 24
        // The second byte of these leads is narrower: no overlong forms, no surrogates, nothing above U+10FFFF.
        static let afterE0: UInt64 = 30
        static let afterED: UInt64 = 36
        static let afterF0: UInt64 = 42
        static let afterF4: UInt64 = 48
    }

    private static let rows: InlineArray<256, UInt64> = InlineArray { index in row(UInt8(truncatingIfNeeded: index)) }

    private static func row(_ byte: UInt8) -> UInt64 {
        var row: UInt64 = 0
        row |= lead(byte) << State.between
        if 0x80...0xBF ~= byte {
            row |= State.between << State.oneMore | State.oneMore << State.twoMore | State.twoMore << State.threeMore
        }
        if 0xA0...0xBF ~= byte { row |= State.oneMore << State.afterE0 }
        if 0x80...0x9F ~= byte { row |= State.oneMore << State.afterED }
        if 0x90...0xBF ~= byte { row |= State.twoMore << State.afterF0 }
        if 0x80...0x8F ~= byte { row |= State.twoMore << State.afterF4 }
        return row
    }

    private static func lead(_ byte: UInt8) -> UInt64 {
        switch byte {
        case 0x00...0x7F: State.between
        case 0xC2...0xDF: State.oneMore
        case 0xE0: State.afterE0
        case 0xED: State.afterED
        case 0xE1...0xEF: State.twoMore
        case 0xF0: State.afterF0
        case 0xF1...0xF3: State.threeMore
        case 0xF4: State.afterF4
        default: State.refused
        }
    }

    @usableFromInline @inline(never)
    package static func accepts(_ text: UnsafeRawBufferPointer) -> Bool {
        let bytes = withoutASCIIEnds(text)
        var state = State.between
        for byte in bytes {
            state = rows[Int(byte)] &>> state
        }
        return state & 63 == State.between
    }

    /// What is left without the words of ASCII at both ends: in a text of few other letters, much the smaller part.
    ///
    /// A sequence that is cut off there is followed by ASCII or by nothing, so it is refused either way.
    @inline(__always)
    private static func withoutASCIIEnds(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isASCII(_ place: Int) -> Bool {
            text.loadUnaligned(fromByteOffset: place, as: UInt64.self) & JSONGrammar.highBits == 0
        }
        var start = 0
        var end = text.count
        while end - start >= 8, isASCII(start) { start += 8 }
        while end - start >= 8, isASCII(end - 8) { end -= 8 }
        return UnsafeRawBufferPointer(rebasing: text[start..<end])
    }

    /// Where the first sequence starts that is not UTF-8; for messages, after `accepts` said no.
    static func firstRefused(_ bytes: UnsafeRawBufferPointer) -> Int {
        var state = State.between
        var start = 0
        for (index, byte) in bytes.enumerated() {
            if state & 63 == State.between { start = index }
            state = rows[Int(byte)] &>> state
            if state & 63 == State.refused { return start }
        }
        return start
    }
}
