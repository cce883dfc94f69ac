// The one place where bytes are read without a check.

/// The bytes of one text, with `padding` bytes behind them that may be read but mean nothing.
///
/// Unsafe, because a bounds check for each byte would cost more than the rest of the scan. What keeps it safe: whoever makes a
/// window proves the padding (`padded` copies where there is none), and the grammar moves forward only after it has
/// seen that it stands before `end`, by tokens' pieces of at most 16 bytes. Debug builds check every read.
@usableFromInline
package struct ByteWindow {
    @inlinable package static var padding: Int { 64 }

    @usableFromInline let base: UnsafeRawPointer
    /// The first place that is not part of the text.
    @usableFromInline package let end: Int

    /// A window on the first `count` bytes at `base`; `padding` more must be readable.
    @inlinable
    package init(_ base: UnsafeRawPointer, count: Int) {
        self.base = base
        end = count
    }

    @inlinable @inline(__always)
    package subscript(place: Int) -> UInt8 {
        assert(place >= 0 && place < end + Self.padding, "a read outside the window")
        return base.load(fromByteOffset: place, as: UInt8.self)
    }

    /// Eight bytes as one word, the first in its lowest bits.
    @inlinable @inline(__always)
    package func word(at place: Int) -> UInt64 {
        assert(place >= 0 && place + 8 <= end + Self.padding, "a read outside the window")
        return UInt64(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    /// Four bytes as one word, the first in its lowest bits.
    @inlinable @inline(__always)
    package func half(at place: Int) -> UInt32 {
        assert(place >= 0 && place + 4 <= end + Self.padding, "a read outside the window")
        return UInt32(littleEndian: base.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }

    /// The bytes of a span that a caller hands on at once, to compare, copy or decode.
    @inlinable @inline(__always)
    package func span(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        assert(range.lowerBound >= 0 && range.upperBound <= end, "a span outside the window")
        return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    /// Copies a span to where `copySlack` more bytes than it has may be written; what they become means nothing.
    ///
    /// Most spans are names and short values, for which two wide moves cost less than a call.
    @inlinable @inline(__always)
    package func copy(_ start: Int, _ count: Int, to output: UnsafeMutableRawPointer) {
        assert(start >= 0 && count >= 0 && start + count <= end, "a span outside the window")
        guard count <= Self.copySlack else {
            output.copyMemory(from: base + start, byteCount: count)
            return
        }
        typealias Half = SIMD16<UInt8>
        output.storeBytes(of: base.loadUnaligned(fromByteOffset: start, as: Half.self), as: Half.self)
        output.storeBytes(
            of: base.loadUnaligned(fromByteOffset: start + 16, as: Half.self),
            toByteOffset: 16,
            as: Half.self
        )
    }

    @inlinable package static var copySlack: Int { 32 }

    /// A window on `range` of a buffer: in place if the buffer goes on far enough behind it, else on a padded copy.
    @inlinable
    package static func padded<R>(_ buffer: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (ByteWindow) -> R) -> R
    {
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
