// Where lines end, found with the C library's search.
import Glibc

/// Newlines in bytes.
package enum Newlines {
    /// Where the first newline is, from `start` on.
    package static func first(in bytes: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard let base = bytes.baseAddress, start < bytes.count,
            let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// How many newlines there are.
    package static func count(in bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        var place = 0
        while let found = first(in: bytes, from: place) {
            count += 1
            place = found + 1
        }
        return count
    }
}
