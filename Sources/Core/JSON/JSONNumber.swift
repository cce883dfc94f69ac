// A number as it was written.

import Glibc

/// The text of a JSON number, which is what it is compared by: `1.0` is not `1`, and no digit is lost on the way.
public struct JSONNumber: Sendable, Hashable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    public let text: String

    /// Nothing if the text is not a JSON number.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        let isNumber = bytes.withUnsafeBytes { buffer in
            ByteWindow.padded(buffer, 0..<buffer.count) { window in
                window.end > 0 && JSONGrammar(bytes: window).number(0) == window.end
            }
        }
        guard isNumber else { return nil }
        self.text = text
    }

    public init(_ value: some BinaryInteger) {
        text = String(value)
    }

    public init(integerLiteral value: Int) {
        self.init(value)
    }

    /// Nothing for infinities and not-a-number, which JSON cannot say.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value.description
    }

    /// A text the grammar has accepted.
    init(accepted text: String) {
        self.text = text
    }

    /// The value if it is written as an integer and fits.
    public var intValue: Int? { Int(text) }

    /// The nearest double, unless the number is beyond all doubles.
    public var doubleValue: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    public var description: String { text }
}
