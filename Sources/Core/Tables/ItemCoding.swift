// Turns items of Swift types into attributes and back.

/// Encodes a value as attributes; a nil property is left out.
public enum ItemCoding {
    /// - Throws: `EncodingError` if the value isn't keyed or holds what no attribute can.
    public static func encode(_ value: some Encodable) throws -> AttributeMap {
        guard case .map(let map) = try box(value) else {
            let context = EncodingError.Context(codingPath: [], debugDescription: "an item is a keyed value")
            throw EncodingError.invalidValue(value, context)
        }
        return map
    }

    /// - Throws: `DecodingError` naming the attribute that is missing or of another kind.
    public static func decode<Value: Decodable>(_ type: Value.Type, from item: AttributeMap) throws -> Value {
        try AttributeDecoder(value: .map(item), place: CodingPlace()).unbox(type)
    }

    static func box<Value: Encodable>(_ value: Value, at place: CodingPlace = CodingPlace()) throws -> AttributeValue {
        // Types are compared before anything is cast: a cast that fails looks through conformances.
        if Value.self == String.self, let value = value as? String { return .string(value) }
        if Value.self == Int.self, let value = value as? Int { return .int(Int64(value)) }
        if Value.self == Int64.self, let value = value as? Int64 { return .int(value) }
        if Value.self == Bool.self, let value = value as? Bool { return .bool(value) }
        if Value.self == Double.self, let value = value as? Double { return .double(value) }
        if Value.self == [UInt8].self, let value = value as? [UInt8] { return .bytes(value) }
        let encoder = AttributeEncoder(place: place)
        try value.encode(to: encoder)
        return encoder.storage.value
    }
}

/// Where an encoder and its containers put what they are given.
private final class Storage {
    private var content: Content = .none

    private enum Content {
        case none
        case single(AttributeValue)
        case map(AttributeMap, [String: Storage])
        case list([Storage])
    }

    var value: AttributeValue {
        switch content {
        case .none: .null
        case .single(let value): value
        case .map(let members, let nested) where nested.isEmpty: .map(members)
        case .map(let members, let nested): .map(members.merging(nested.mapValues(\.value)) { _, new in new })
        case .list(let elements): .list(elements.map(\.value))
        }
    }

    var count: Int {
        if case .list(let elements) = content { elements.count } else { 0 }
    }

    func set(_ value: AttributeValue) {
        content = .single(value)
    }

    func beginMap() {
        if case .map = content { return }
        content = .map(AttributeMap(minimumCapacity: AttributeJSON.membersUsual), [:])
    }

    func beginList() {
        if case .list = content { return }
        content = .list([])
    }

    func set(_ value: AttributeValue, for name: String) {
        guard case .map(var members, let nested) = content else { return }
        content = .none
        members[name] = value
        content = .map(members, nested)
    }

    /// A place for what is encoded piece by piece.
    func member(_ name: String) -> Storage {
        let storage = Storage()
        if case .map(let members, var nested) = content {
            nested[name] = storage
            content = .map(members, nested)
        }
        return storage
    }

    func element() -> Storage {
        let storage = Storage()
        if case .list(var elements) = content {
            content = .none
            elements.append(storage)
            content = .list(elements)
        }
        return storage
    }
}

private struct AttributeEncoder: Encoder {
    let place: CodingPlace
    var codingPath: [any CodingKey] { place.path }
    var storage = Storage()
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        storage.beginMap()
        return KeyedEncodingContainer(Keyed<Key>(place: place, storage: storage))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        storage.beginList()
        return Unkeyed(place: place, storage: storage)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        Single(place: place, storage: storage)
    }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let place: CodingPlace
        let storage: Storage
        var codingPath: [any CodingKey] { place.path }

        mutating func encodeNil(forKey key: Key) { storage.set(.null, for: key.stringValue) }

        mutating func encode(_ value: some Encodable, forKey key: Key) throws {
            storage.set(try ItemCoding.box(value, at: place.member(key)), for: key.stringValue)
        }

        // What items mostly hold is written without looking for its type.

        mutating func encode(_ value: String, forKey key: Key) { storage.set(.string(value), for: key.stringValue) }
        mutating func encode(_ value: Bool, forKey key: Key) { storage.set(.bool(value), for: key.stringValue) }
        mutating func encode(_ value: Int, forKey key: Key) { storage.set(.int(Int64(value)), for: key.stringValue) }
        mutating func encode(_ value: Int64, forKey key: Key) { storage.set(.int(value), for: key.stringValue) }
        mutating func encode(_ value: Double, forKey key: Key) { storage.set(.double(value), for: key.stringValue) }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            AttributeEncoder(place: place.member(key), storage: storage.member(key.stringValue)).container(
                keyedBy: type
            )
        }

        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            AttributeEncoder(place: place.member(key), storage: storage.member(key.stringValue))
                .unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder {
            AttributeEncoder(place: place, storage: storage.member("super"))
        }

        mutating func superEncoder(forKey key: Key) -> any Encoder {
            AttributeEncoder(place: place.member(key), storage: storage.member(key.stringValue))
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let place: CodingPlace
        let storage: Storage
        var codingPath: [any CodingKey] { place.path }
        var count: Int { storage.count }

        mutating func encodeNil() { storage.element().set(.null) }

        mutating func encode(_ value: some Encodable) throws {
            storage.element().set(try ItemCoding.box(value, at: place))
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            AttributeEncoder(place: place, storage: storage.element()).container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            AttributeEncoder(place: place, storage: storage.element()).unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder {
            AttributeEncoder(place: place, storage: storage.element())
        }
    }

    struct Single: SingleValueEncodingContainer {
        let place: CodingPlace
        let storage: Storage
        var codingPath: [any CodingKey] { place.path }

        mutating func encodeNil() { storage.set(.null) }

        mutating func encode(_ value: String) { storage.set(.string(value)) }

        mutating func encode(_ value: some Encodable) throws {
            // Whole numbers of other widths end here, as their own `encode(to:)` asks for a single value.
            if let number = value as? any BinaryInteger {
                guard let exact = Int64(exactly: number) else {
                    let context = EncodingError.Context(codingPath: codingPath, debugDescription: "over 64 bits")
                    throw EncodingError.invalidValue(value, context)
                }
                storage.set(.int(exact))
            } else if let number = value as? Float {
                storage.set(.double(Double(number)))
            } else {
                storage.set(try ItemCoding.box(value, at: place))
            }
        }
    }
}
