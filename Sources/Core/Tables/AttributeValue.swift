// What one attribute of a stored item can hold.

/// The value of an attribute, of a kind that every table store can keep.
public enum AttributeValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    /// Comes back bit by bit, but that zero may lose its sign and that a whole one may come back as an `int`.
    ///
    /// A cloud's table has room for 0 and for magnitudes from 1e-130 to below 1e126; it refuses others, infinities and
    /// not-a-number.
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case list([AttributeValue])
    case map([String: AttributeValue])
}

/// A stored item: its attributes by name, keys included.
public typealias AttributeMap = [String: AttributeValue]

/// A Swift value that is stored as one attribute.
public protocol AttributeConvertible: Sendable {
    var attributeValue: AttributeValue { get }
}

extension AttributeValue: AttributeConvertible {
    public var attributeValue: AttributeValue { self }
}

extension Bool: AttributeConvertible {
    public var attributeValue: AttributeValue { .bool(self) }
}

extension Int: AttributeConvertible {
    public var attributeValue: AttributeValue { .int(Int64(self)) }
}

extension Int64: AttributeConvertible {
    public var attributeValue: AttributeValue { .int(self) }
}

extension Double: AttributeConvertible {
    public var attributeValue: AttributeValue { .double(self) }
}

extension String: AttributeConvertible {
    public var attributeValue: AttributeValue { .string(self) }
}

extension Timestamp: AttributeConvertible {
    public var attributeValue: AttributeValue { .string(description) }
}

extension Optional: AttributeConvertible where Wrapped: AttributeConvertible {
    public var attributeValue: AttributeValue { self?.attributeValue ?? .null }
}

extension AttributeValue: Comparable {
    /// Orders numbers by value and strings and bytes by their bytes, as table stores do; unlike kinds are unordered.
    public static func < (left: AttributeValue, right: AttributeValue) -> Bool {
        switch (left, right) {
        case (.int(let left), .int(let right)): left < right
        case (.double(let left), .double(let right)): left < right
        case (.int(let left), .double(let right)): Double(left) < right
        case (.double(let left), .int(let right)): left < Double(right)
        case (.string(let left), .string(let right)): left.utf8.lexicographicallyPrecedes(right.utf8)
        case (.bytes(let left), .bytes(let right)): left.lexicographicallyPrecedes(right)
        default: false
        }
    }
}

extension AttributeValue {
    /// Whether a table store takes the two for the same value: numbers by value, strings by their bytes.
    ///
    /// `==` takes the composed and the decomposed form of a letter for the same, and 1 and 1.0 for different.
    public func isStoredAlike(_ other: AttributeValue) -> Bool {
        switch (self, other) {
        case (.string(let left), .string(let right)):
            left.utf8.elementsEqual(right.utf8)
        case (.int(let left), .double(let right)), (.double(let right), .int(let left)):
            Double(left) == right
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.isStoredAlike($1) }
        case (.map(let left), .map(let right)):
            left.count == right.count && left.allSatisfy { right[$0]?.isStoredAlike($1) ?? false }
        default:
            self == other
        }
    }

    /// The size of the value as a table store counts it, for `TableLimits.itemBytesMax`.
    public var storedBytes: Int {
        switch self {
        case .null, .bool: 1
        case .int, .double: 21
        case .string(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .list(let values): values.reduce(3) { $0 + $1.storedBytes + 1 }
        case .map(let values): values.storedBytes + 3 + values.count
        }
    }
}

extension AttributeMap {
    /// The size of the item as a table store counts it: names and values.
    public var storedBytes: Int { reduce(0) { $0 + $1.key.utf8.count + $1.value.storedBytes } }
}
