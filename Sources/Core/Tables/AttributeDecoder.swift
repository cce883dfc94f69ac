// Reads Swift types out of attributes.

struct AttributeDecoder: Decoder {
    let value: AttributeValue
    let place: CodingPlace
    var codingPath: [any CodingKey] { place.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func unbox<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if type == String.self, let text = try string as? Value { return text }
        if type == Bool.self, let flag = try bool as? Value { return flag }
        if type == Int.self, let whole = try int as? Value { return whole }
        if type == Int64.self, let whole = try int64 as? Value { return whole }
        if type == Double.self, let number = try double as? Value { return number }
        if type == [UInt8].self, let bytes = try bytes as? Value { return bytes }
        return try Value(from: self)
    }

    private var string: String {
        get throws {
            guard case .string(let text) = value else { throw mismatch(String.self) }
            return text
        }
    }

    private var bool: Bool {
        get throws {
            guard case .bool(let flag) = value else { throw mismatch(Bool.self) }
            return flag
        }
    }

    private var bytes: [UInt8] {
        get throws {
            guard case .bytes(let bytes) = value else { throw mismatch([UInt8].self) }
            return bytes
        }
    }

    private var int64: Int64 {
        get throws {
            guard let whole else { throw mismatch(Int64.self) }
            return whole
        }
    }

    private var int: Int {
        get throws {
            guard let whole else { throw mismatch(Int.self) }
            return Int(whole)
        }
    }

    private var double: Double {
        get throws {
            guard let number else { throw mismatch(Double.self) }
            return number
        }
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
        return KeyedDecodingContainer(Keyed<Key>(members: members, place: place))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let elements) = value else { throw mismatch([AttributeValue].self) }
        return Unkeyed(elements: elements, place: place)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer {
        Single(decoder: self)
    }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let members: AttributeMap
        let place: CodingPlace
        var codingPath: [any CodingKey] { place.path }

        var allKeys: [Key] { members.keys.compactMap(Key.init(stringValue:)) }

        func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }

        func decodeNil(forKey key: Key) -> Bool { (members[key.stringValue] ?? .null) == .null }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try decoder(key).unbox(type)
        }

        // What items mostly hold is read without a detour over `Any`.

        func decode(_ type: String.Type, forKey key: Key) throws -> String { try decoder(key).string }
        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try decoder(key).bool }
        func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try decoder(key).int }
        func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try decoder(key).int64 }
        func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try decoder(key).double }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            try decoder(key).container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoder(key).unkeyedContainer()
        }

        func superDecoder() -> any Decoder { AttributeDecoder(value: .map(members), place: place) }

        func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }

        private func decoder(_ key: Key) throws -> AttributeDecoder {
            guard let value = members[key.stringValue] else {
                let path = (codingPath + [key]).map(\.stringValue).joined(separator: ".")
                throw DecodingError.keyNotFound(
                    key,
                    .init(codingPath: codingPath, debugDescription: "attribute \(path) is missing")
                )
            }
            return AttributeDecoder(value: value, place: place.member(key))
        }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        let elements: [AttributeValue]
        let place: CodingPlace
        var codingPath: [any CodingKey] { place.path }
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
            return AttributeDecoder(value: elements[currentIndex], place: place)
        }
    }

    struct Single: SingleValueDecodingContainer {
        let decoder: AttributeDecoder
        var codingPath: [any CodingKey] { decoder.codingPath }

        func decodeNil() -> Bool { decoder.value == .null }

        // What items mostly hold is read without a look at conformances.

        func decode(_ type: String.Type) throws -> String { try decoder.string }
        func decode(_ type: Int.Type) throws -> Int { try decoder.int }

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

/// Where a coder stands; the path is put together only when somebody asks for it.
struct CodingPlace {
    private let parents: [any CodingKey]
    private let last: (any CodingKey)?

    init() {
        parents = []
        last = nil
    }

    private init(parents: [any CodingKey], last: any CodingKey) {
        self.parents = parents
        self.last = last
    }

    var path: [any CodingKey] { last.map { parents + [$0] } ?? parents }

    func member(_ key: any CodingKey) -> CodingPlace { CodingPlace(parents: path, last: key) }
}
