// What must hold for a write to happen, and what the write changes.

/// A condition on the item as it is stored when a write is applied; an absent item has no attributes.
public indirect enum Condition: Sendable, Hashable {
    case itemExists
    case itemAbsent
    case attributeExists(String)
    case attributeAbsent(String)
    /// Compares numbers by value and strings by their bytes.
    ///
    /// False when the attribute is absent or of another kind, except for `notEqual`, which then is true.
    case compare(String, Comparison, AttributeValue)
    case all([Condition])
    case any([Condition])
    case not(Condition)

    public enum Comparison: String, Sendable, Hashable {
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    /// Whether the condition holds for an item; for drivers that evaluate it themselves.
    public func holds(for item: AttributeMap?) -> Bool {
        switch self {
        case .itemExists: item != nil
        case .itemAbsent: item == nil
        case .attributeExists(let name): item?[name] != nil
        case .attributeAbsent(let name): item?[name] == nil
        case .compare(let name, let comparison, let wanted): Self.compare(item?[name], comparison, wanted)
        case .all(let conditions): conditions.allSatisfy { $0.holds(for: item) }
        case .any(let conditions): conditions.contains { $0.holds(for: item) }
        case .not(let condition): !condition.holds(for: item)
        }
    }

    private static func compare(
        _ value: AttributeValue?,
        _ comparison: Comparison,
        _ wanted: AttributeValue
    ) -> Bool {
        guard let value else { return comparison == .notEqual }
        return switch comparison {
        case .equal: value.isStoredAlike(wanted)
        case .notEqual: !value.isStoredAlike(wanted)
        case .less: value < wanted
        case .lessOrEqual: value < wanted || value.isStoredAlike(wanted)
        case .greater: wanted < value
        case .greaterOrEqual: wanted < value || value.isStoredAlike(wanted)
        }
    }
}

/// One change that an update makes to an attribute.
public enum AttributeChange: Sendable, Hashable {
    case set(String, AttributeValue)
    /// Adds to a whole number; an absent attribute counts as 0. Atomic.
    case add(String, Int64)
    case remove(String)

    /// Applies the change to an item; for drivers that evaluate it themselves.
    public func apply(to item: inout AttributeMap) throws(PortError) {
        switch self {
        case .set(let name, let value):
            item[name] = value
        case .remove(let name):
            item[name] = nil
        case .add(let name, let amount):
            switch item[name] {
            case nil: item[name] = .int(amount)
            case .int(let old)?:
                let (sum, overflows) = old.addingReportingOverflow(amount)
                guard !overflows else {
                    throw PortError(.invalidRequest, "\(old) + \(amount) at attribute \(name) is out of range")
                }
                item[name] = .int(sum)
            default: throw PortError(.invalidRequest, "attribute \(name) is not a whole number to add to")
            }
        }
    }
}

/// One write of a transaction: what happens to which item, and on what condition.
public struct TableAction: Sendable, Hashable {
    public enum Effect: Sendable, Hashable {
        /// The item replaces whatever is stored under its key.
        case put(AttributeMap)
        /// The changes are made to the stored item; an absent one is created with its key and the changes.
        case update([AttributeChange])
        case delete
        /// Only the condition is checked.
        case check
    }

    public let schema: TableSchema
    public let key: ItemKey
    public let effect: Effect
    public let condition: Condition?

    public init(_ schema: TableSchema, _ key: ItemKey, _ effect: Effect, if condition: Condition? = nil) {
        self.schema = schema
        self.key = key
        self.effect = effect
        self.condition = condition
    }
}
