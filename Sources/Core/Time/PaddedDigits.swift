// Numbers with leading zeros, so that text sorts as the numbers do.

/// Writes numbers and what stands between them into memory that is large enough.
///
/// Every message and every booking names its chunk and its time in this way.
struct PaddedDigits {
    private let text: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ text: UnsafeMutableBufferPointer<UInt8>) {
        self.text = text
    }

    /// The most digits that a number has.
    static let digitsMax = 19

    mutating func write(_ sign: Unicode.Scalar) {
        text[count] = UInt8(ascii: sign)
        count += 1
    }

    /// Writes the number's magnitude, with zeros before it up to `width`.
    mutating func write(_ number: Int, _ width: Int, after sign: Unicode.Scalar? = nil) {
        if let sign { write(sign) }
        var digits = 1
        var rest = number.magnitude / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        let end = count + max(digits, width)
        rest = number.magnitude
        for place in (count..<end).reversed() {
            text[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count = end
    }
}

/// The number with leading zeros up to `width`.
package func pad(_ number: Int, _ width: Int) -> String {
    String(unsafeUninitializedCapacity: max(width, PaddedDigits.digitsMax)) { text in
        var writer = PaddedDigits(text)
        writer.write(number, width)
        return writer.count
    }
}
