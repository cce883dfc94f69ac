// Conditions and changes in DynamoDB's words, names and values behind placeholders.
internal import SluiceCore

/// What the expressions of one request share: their placeholders.
///
/// Every name has a placeholder, as hundreds of words are reserved, and names may hold what no expression can.
struct DynamoDBExpression {
    /// A condition's text, or what it is known to be.
    enum Text {
        case always(Bool)
        /// One comparison or call.
        case simple(String)
        /// Several parts, which need brackets within others; one pair of them, as DynamoDB refuses a second.
        case compound(String)
    }

    private let schema: TableSchema
    private var names: [String] = []
    private var values = AWSJSONWriter()
    private var valueCount = 0

    init(_ schema: TableSchema) {
        self.schema = schema
    }

    /// The placeholder of a name; the same name has the same one.
    mutating func name(_ name: String) -> String {
        // By bytes: letters that look alike are different attributes.
        if let known = names.firstIndex(where: { $0.utf8.elementsEqual(name.utf8) }) { return "#\(known)" }
        names.append(name)
        return "#\(names.count - 1)"
    }

    /// A placeholder for a value.
    mutating func value(_ value: AttributeValue) throws(PortError) -> String {
        let placeholder = ":\(valueCount)"
        valueCount += 1
        values.name(placeholder)
        try values.value(value)
        return placeholder
    }

    /// Writes what the placeholders stand for, as members of a request.
    func write(into request: inout AWSJSONWriter) {
        if !names.isEmpty {
            request.name("ExpressionAttributeNames")
            request.json("{")
            for (position, name) in names.enumerated() {
                request.name("#\(position)")
                request.text(name)
            }
            request.json("}")
        }
        if valueCount > 0 {
            request.name("ExpressionAttributeValues")
            request.json("{")
            request.json(values.bytes)
            request.json("}")
        }
    }
}

extension DynamoDBExpression {
    /// The text of a whole condition; nil if it always holds.
    mutating func whole(_ text: Text) -> String? {
        switch text {
        case .always(true): return nil
        case .always(false):
            let key = name(schema.partitionKey)
            return "attribute_exists(\(key)) AND attribute_not_exists(\(key))"
        case .simple(let text), .compound(let text): return text
        }
    }

    mutating func condition(_ condition: Condition) throws(PortError) -> Text {
        // Before anything gets a placeholder: DynamoDB refuses those that no expression uses.
        if let known = Self.known(condition) { return .always(known) }
        switch condition {
        case .itemExists: return .simple("attribute_exists(\(name(schema.partitionKey)))")
        case .itemAbsent: return .simple("attribute_not_exists(\(name(schema.partitionKey)))")
        case .attributeExists(let attribute): return .simple("attribute_exists(\(name(attribute)))")
        case .attributeAbsent(let attribute): return .simple("attribute_not_exists(\(name(attribute)))")
        case .compare(let attribute, let comparison, let wanted): return try compare(attribute, comparison, wanted)
        case .not(let inner): return negated(try self.condition(inner))
        case .all(let conditions): return Self.joined(try texts(conditions), isAnd: true)
        case .any(let conditions): return Self.joined(try texts(conditions), isAnd: false)
        }
    }

    private mutating func texts(_ conditions: [Condition]) throws(PortError) -> [Text] {
        var texts: [Text] = []
        for condition in conditions { texts.append(try self.condition(condition)) }
        return texts
    }

    private mutating func compare(
        _ attribute: String,
        _ comparison: Condition.Comparison,
        _ wanted: AttributeValue
    ) throws(PortError) -> Text {
        let name = name(attribute)
        // What has no order may still be equal.
        let isEqual = !Self.isOrdered(wanted) && comparison != .notEqual
        let text = "\(name) \(isEqual ? "=" : comparison.rawValue) \(try value(wanted))"
        // An absent attribute differs from everything.
        return comparison == .notEqual ? .compound("attribute_not_exists(\(name)) OR \(text)") : .simple(text)
    }

    /// Whether a condition holds whatever is stored; nil if that depends.
    private static func known(_ condition: Condition) -> Bool? {
        switch condition {
        case .itemExists, .itemAbsent, .attributeExists, .attributeAbsent: return nil
        case .compare(_, let comparison, let wanted):
            // What has no order is neither less nor greater, and DynamoDB refuses to be asked.
            return !isOrdered(wanted) && (comparison == .less || comparison == .greater) ? false : nil
        case .not(let inner): return known(inner).map { !$0 }
        case .all(let conditions):
            let parts = conditions.map { known($0) }
            return parts.contains(false) ? false : parts.allSatisfy { $0 == true } ? true : nil
        case .any(let conditions):
            let parts = conditions.map { known($0) }
            return parts.contains(true) ? true : parts.allSatisfy { $0 == false } ? false : nil
        }
    }

    private static func isOrdered(_ value: AttributeValue) -> Bool {
        switch value {
        case .int, .double, .string, .bytes: true
        case .null, .bool, .list, .map: false
        }
    }

    private func negated(_ text: Text) -> Text {
        switch text {
        case .always(let holds): .always(!holds)
        case .simple(let text), .compound(let text): .simple("NOT (\(text))")
        }
    }

    static func joined(_ texts: [Text], isAnd: Bool) -> Text {
        var parts: [Text] = []
        for text in texts {
            if case .always(let holds) = text {
                if holds != isAnd { return .always(holds) }
            } else {
                parts.append(text)
            }
        }
        guard let first = parts.first else { return .always(isAnd) }
        guard parts.count > 1 else { return first }
        let bracketed = parts.map { part in
            switch part {
            case .simple(let text): text
            case .compound(let text): "(\(text))"
            case .always: ""
            }
        }
        return .compound(bracketed.joined(separator: isAnd ? " AND " : " OR "))
    }
}

extension DynamoDBExpression {
    /// The text of an update and the condition under which its additions are additions of whole numbers of 64 bits.
    ///
    /// - Throws: `invalidRequest` for a change of the key, or two of one attribute.
    mutating func update(_ changes: [AttributeChange], of key: ItemKey) throws(PortError) -> (text: String, room: Text)
    {
        var sets: [String] = []
        var removes: [String] = []
        var adds: [String] = []
        var guards: [Text] = []
        for change in changes {
            if try repeatsKey(change, key) { continue }
            switch change {
            case .set(let attribute, let wanted): sets.append("\(name(attribute)) = \(try value(wanted))")
            case .remove(let attribute): removes.append(name(attribute))
            case .add(let attribute, let amount):
                let name = name(attribute)
                adds.append("\(name) \(try value(.int(amount)))")
                guards.append(.compound("attribute_not_exists(\(name)) OR \(try room(for: amount, at: name))"))
            }
        }
        let clauses = [("SET", sets), ("REMOVE", removes), ("ADD", adds)].filter { !$0.1.isEmpty }
        let text = clauses.map { "\($0.0) \($0.1.joined(separator: ", "))" }.joined(separator: " ")
        return (text, Self.joined(guards, isAnd: true))
    }

    /// Holds only for numbers, too: others compare with nothing.
    private mutating func room(for amount: Int64, at name: String) throws(PortError) -> String {
        amount < 0 ? "\(name) >= \(try value(.int(.min - amount)))" : "\(name) <= \(try value(.int(.max - amount)))"
    }

    /// Whether a change sets a key attribute to what it is, which DynamoDB would refuse.
    private func repeatsKey(_ change: AttributeChange, _ key: ItemKey) throws(PortError) -> Bool {
        let attribute =
            switch change {
            case .set(let name, _), .remove(let name), .add(let name, _): name
            }
        let isPartition = attribute == schema.partitionKey
        guard isPartition || attribute == schema.sortKey else { return false }
        let part = isPartition ? key.partition : key.sort ?? ""
        guard case .set(_, let wanted) = change, wanted.isStoredAlike(.string(part)) else {
            throw PortError(.invalidRequest, "an update of \(schema.name) \(key) would change its key")
        }
        return true
    }
}
