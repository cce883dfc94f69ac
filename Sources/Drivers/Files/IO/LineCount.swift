// Counting lines.
import Glibc

enum LineCount {
    /// How many newlines there are.
    static func newlines(in bytes: UnsafeRawBufferPointer) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var count = 0
        var place = 0
        while place < bytes.count,
            let found = memchr(base + place, Int32(UInt8(ascii: "\n")), bytes.count - place)
        {
            count += 1
            place = UnsafeRawPointer(found) - base + 1
        }
        return count
    }
}
