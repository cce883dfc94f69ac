// Text that is equal when its bytes are, and how a place in a table becomes a cursor.
import SluiceCore

/// A string compared by its bytes; Swift's own strings are equal when their letters are.
struct ByteString: Hashable, Comparable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    static func == (left: ByteString, right: ByteString) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    static func < (left: ByteString, right: ByteString) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension SortKey {
    /// The parts, each with its length before it: `1:a3:b:c`.
    var cursor: TableCursor {
        TableCursor(token: parts.map { "\($0.utf8.count):\($0)" }.joined())
    }

    init(_ cursor: TableCursor) throws(PortError) {
        var parts: [String] = []
        var rest = Array(cursor.token.utf8)[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != UInt8(ascii: ":") }
            guard let count = Int(String(decoding: digits, as: UTF8.self)), count >= 0,
                digits.count + 1 + count <= rest.count
            else { throw PortError(.invalidRequest, "this is not a cursor of a query here") }
            rest = rest.dropFirst(digits.count + 1)
            parts.append(String(decoding: rest.prefix(count), as: UTF8.self))
            rest = rest.dropFirst(count)
        }
        guard !parts.isEmpty else { throw PortError(.invalidRequest, "an empty text is not a cursor") }
        self.init(parts: parts)
    }
}
