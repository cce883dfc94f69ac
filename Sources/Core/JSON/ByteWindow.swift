// The one place where bytes are read without a check.

/// The bytes of one text, with `padding` bytes behind them that may be read but mean nothing.
///
/// Unsafe, because a bounds check for each byte would cost more than the rest of the scan. What keeps it safe: whoever makes a
/// window proves the padding (`padded` copies where there is none), and the grammar moves forward only after it has
/// seen that it stands before `end`, by tokens' pieces of at most 16 bytes. Debug builds check every read.
struct ByteWindow {
    static let padding = 64

    private let base: UnsafeRawPointer
    /// The first place that is not part of the text.
    let end: Int

    /// A window on the first `count` bytes at `base`; `padding` more must be readable.
    init(_ base: UnsafeRawPointer, count: Int) {
        self.base = base
        end = count
    }

    @inline(__always)
    subscript(place: Int) -> UInt8 {
        assert(place >= 0 && place < end + Self.padding, "a read outside the window")
        return base.load(fromByteOffset: place, as: UInt8.self)
    }

    /// Eight bytes as one word, the first in its lowest bits.
    @inline(__always)
    func word(at place: Int) -> UInt64 {
        assert(place >= 0 && place + 8 <= end + Self.padding, "a read outside the window")
        return UInt64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    /// Four bytes as one word, the first in its lowest bits.
    @inline(__always)
    func half(at place: Int) -> UInt32 {
        assert(place >= 0 && place + 4 <= end + Self.padding, "a read outside the window")
        return UInt32(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }

    /// The bytes of a span that a caller hands on at once, to compare, copy or decode.
    @inline(__always)
    func span(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        assert(range.lowerBound >= 0 && range.upperBound <= end, "a span outside the window")
        return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// A window on `range` of a buffer: in place if the buffer goes on far enough behind it, else on a padded copy.
    static func padded<R>(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (ByteWindow) -> R) -> R {
        if let base = buffer.baseAddress, range.upperBound <= buffer.count - padding {
            return body(ByteWindow(base + range.lowerBound, count: range.count))
        }
        return withUnsafeTemporaryAllocation(byteCount: range.count + padding, alignment: 8) { copy in
            let text = UnsafeMutableRawBufferPointer(rebasing: copy[..<range.count])
            text.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[range]))
            // Zeros, so that no token seems to go on behind the end.
            UnsafeMutableRawBufferPointer(rebasing: copy[range.count...]).initializeMemory(as: UInt8.self, repeating: 0)
            guard let base = UnsafeRawPointer(copy.baseAddress) else {
                preconditionFailure("an allocation of at least \(padding) bytes has an address")
            }
            return body(ByteWindow(base, count: range.count))
        }
    }
}
