// Writes items as DynamoDB has them: each value stands under the letters of its type.
internal import SluiceCore

extension AWSJSONWriter {
    mutating func string(_ string: String) {
        json(#"{"S":"#)
        text(string)
        json("}")
    }

    mutating func key(_ key: ItemKey, of schema: TableSchema) {
        json("{")
        name(schema.partitionKey)
        string(key.partition)
        if let sortKey = schema.sortKey, let sort = key.sort {
            name(sortKey)
            string(sort)
        }
        json("}")
    }

    /// An item, or the members of a map.
    ///
    /// - Throws: `invalidRequest` for a number that DynamoDB has no room for.
    mutating func item(_ item: AttributeMap) throws(PortError) {
        json("{")
        for (name, value) in item {
            self.name(name)
            try self.value(value)
        }
        json("}")
    }

    mutating func value(_ value: AttributeValue) throws(PortError) {
        switch value {
        case .null: json(#"{"NULL":true}"#)
        case .bool(let flag): json(flag ? #"{"BOOL":true}"# : #"{"BOOL":false}"#)
        case .int(let number): json("{\"N\":\"\(number)\"}")
        case .double(let number): json("{\"N\":\"\(try Self.decimal(number))\"}")
        case .string(let text): string(text)
        case .bytes(let raw):
            json(#"{"B":""#)
            json(Base64.encode(raw))
            json(#""}"#)
        case .list(let values):
            json(#"{"L":["#)
            for value in values {
                comma()
                try self.value(value)
            }
            json("]}")
        case .map(let members):
            json(#"{"M":"#)
            try item(members)
            json("}")
        }
    }

    /// The shortest text that reads back as the same double; it has 17 digits at most, of the 38 that DynamoDB keeps.
    private static func decimal(_ number: Double) throws(PortError) -> String {
        if number == 0 { return "0" }
        guard (1e-130..<1e126).contains(number.magnitude) else {
            throw PortError(
                .invalidRequest,
                "DynamoDB has no room for the number \(number): store it as text, or keep it 0 or within 1e-130 to 1e126"
            )
        }
        return number.description
    }
}
