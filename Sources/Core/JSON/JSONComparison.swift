// Whether two JSON values say the same to whoever reads them, and where they don't.

extension JSONNumber {
    /// Whether both are the same number, however they are written: `3.0` is `3` and `1e2` is `100`.
    ///
    /// Exact: no digit is lost in a binary fraction.
    public func isSame(as other: JSONNumber) -> Bool {
        text == other.text || Decimal(text) == Decimal(other.text)
    }

    /// A number as sign, digits without zeros at either end, and the power of ten that its last digit stands for.
    private struct Decimal: Equatable {
        var isNegative = false
        var digits: [UInt8] = []
        var exponent = 0

        init(_ text: String) {
            var hasPoint = false
            var bytes = Array(text.utf8)[...]
            if bytes.first == UInt8(ascii: "-") {
                isNegative = true
                bytes.removeFirst()
            }
            while let byte = bytes.first, byte | 0x20 != UInt8(ascii: "e") {
                bytes.removeFirst()
                if byte == UInt8(ascii: ".") {
                    hasPoint = true
                } else {
                    if !digits.isEmpty || byte != UInt8(ascii: "0") { digits.append(byte) }
                    if hasPoint { exponent -= 1 }
                }
            }
            // An exponent beyond all integers is told from others by its text alone.
            if !bytes.isEmpty { exponent += Int(String(decoding: bytes.dropFirst(), as: UTF8.self)) ?? Int.max / 2 }
            while digits.last == UInt8(ascii: "0") {
                digits.removeLast()
                exponent += 1
            }
            if digits.isEmpty {
                isNegative = false
                exponent = 0
            }
        }
    }
}

extension JSONValue {
    /// Whether both say the same: objects in any order, numbers by value.
    public func isSame(as other: JSONValue) -> Bool {
        switch (self, other) {
        case (.number(let left), .number(let right)): left.isSame(as: right)
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isSame(as: $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count && left.members.allSatisfy { right[$0.name]?.isSame(as: $0.value) ?? false }
        default: self == other
        }
    }

    /// In which fields another object differs from this one, in words such as `price differs` or `title is missing`.
    ///
    /// Fields that only the other has count unless `allowingMore`.
    public func differences(from other: JSONValue, allowingMore: Bool) -> [String] {
        guard let mine = objectValue, let theirs = other.objectValue else {
            return isSame(as: other) ? [] : ["it is no object"]
        }
        var found: [String] = []
        for member in mine.members {
            guard let value = theirs[member.name] else {
                found.append("\(member.name) is missing")
                continue
            }
            if !value.isSame(as: member.value) { found.append("\(member.name) differs") }
        }
        if !allowingMore {
            for member in theirs.members where mine[member.name] == nil {
                found.append("\(member.name) is not in the source")
            }
        }
        return found
    }
}
