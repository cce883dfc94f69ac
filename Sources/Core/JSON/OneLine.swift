// A record on one line, however its source broke it.

import Glibc

/// Line breaks between the tokens of a written record.
package enum OneLine {
    /// Takes line breaks, and the indentation after them, out of what was written, and moves `id` with its text.
    ///
    /// In a text that was accepted they stand between tokens only, so that nothing else can be meant.
    package static func join(_ output: UnsafeMutablePointer<UInt8>, count: inout Int, id: inout Range<Int>) {
        guard memchr(output, 0x0A, count) != nil || memchr(output, 0x0D, count) != nil else { return }
        var kept = 0
        var before = 0
        var isIndentation = false
        for place in 0..<count {
            let byte = output[place]
            if byte == Sign.newline || byte == Sign.carriageReturn { isIndentation = true }
            if byte > Sign.space { isIndentation = false }
            if isIndentation { continue }
            if place < id.lowerBound { before += 1 }
            output[kept] = byte
            kept += 1
        }
        count = kept
        id = before..<before + id.count
    }
}
