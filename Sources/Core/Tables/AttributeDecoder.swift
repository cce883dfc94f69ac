// Reads Swift types out of attributes.

struct AttributeDecoder: Decoder {
    let value: AttributeValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func unbox<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let result: Any?
        switch type {
        case is String.Type: if case .string(let text) = value { result = text } else { result = nil }
        case is Bool.Type: if case .bool(let flag) = value { result = flag } else { result = nil }
        case is Int.Type: result = whole.map { Int($0) }
        case is Int64.Type: result = whole
        case is Double.Type: result = number
        case is [UInt8].Type: if case .bytes(let bytes) = value { result = bytes } else { result = nil }
        default: return try Value(from: self)
        }
        guard let unboxed = result as? Value else { throw mismatch(type) }
        return unboxed
    }

    private var whole: Int64? {
        switch value {
        case .int(let number): number
        case .double(let number): Int64(exactly: number)
        default: nil
        }
    }

    private var number: Double? {
        switch value {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    func mismatch(_ type: Any.Type) -> DecodingError {
        let path = codingPath.map(\.stringValue).joined(separator: ".")
        return .typeMismatch(
            type,
            .init(codingPath: codingPath, debugDescription: "attribute \(path) is not of type \(type)")
        )
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .map(let members) = value else { throw mismatch(AttributeMap.self) }
        return KeyedDecodingContainer(Keyed<Key>(members: members, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let elements) = value else { throw mismatch([AttributeValue].self) }
        return Unkeyed(elements: elements, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        Single(decoder: self)
    }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: AttributeMap
        let codingPath: [any CodingKey]

        var allKeys: [Key] { members.keys.compactMap(Key.init(stringValue:)) }

        func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }

        func decodeNil(forKey key: Key) -> Bool { (members[key.stringValue] ?? .null) == .null }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try decoder(key).unbox(type)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            try decoder(key).container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder(key).unkeyedContainer()
        }

        func superDecoder() -> any Decoder { AttributeDecoder(value: .map(members), codingPath: codingPath) }

        func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

        private func decoder(_ key: Key) throws -> AttributeDecoder {
            guard let value = members[key.stringValue] else {
                let path = (codingPath + [key]).map(\.stringValue).joined(separator: ".")
                throw DecodingError.keyNotFound(
                    key,
                    .init(codingPath: codingPath, debugDescription: "attribute \(path) is missing")
                )
            }
            return AttributeDecoder(value: value, codingPath: codingPath + [key])
        }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [AttributeValue]
        let codingPath: [any CodingKey]
        var currentIndex = 0

        var count: Int? { elements.count }
        var isAtEnd: Bool { currentIndex >= elements.count }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, elements[currentIndex] == .null else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try next().unbox(type) }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            try next().container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }

        mutating func superDecoder() throws -> any Decoder { try next() }

        private mutating func next() throws -> AttributeDecoder {
            guard !isAtEnd else {
                let context = DecodingError.Context(codingPath: codingPath, debugDescription: "the list ends here")
                throw DecodingError.valueNotFound(AttributeValue.self, context)
            }
            defer { currentIndex += 1 }
            return AttributeDecoder(value: elements[currentIndex], codingPath: codingPath)
        }
    }

    struct Single: SingleValueDecodingContainer {
        let decoder: AttributeDecoder
        var codingPath: [any CodingKey] { decoder.codingPath }

        func decodeNil() -> Bool { decoder.value == .null }

        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            // Whole numbers of other widths would ask for a single value again, without end.
            if let width = type as? any FixedWidthInteger.Type {
                guard let whole = try? decoder.unbox(Int64.self), let value = exactly(whole, width) as? Value else {
                    throw decoder.mismatch(type)
                }
                return value
            }
            return try decoder.unbox(type)
        }

        private func exactly<Number: FixedWidthInteger>(_ whole: Int64, _ type: Number.Type) -> Number? {
            Number(exactly: whole)
        }
    }
}
