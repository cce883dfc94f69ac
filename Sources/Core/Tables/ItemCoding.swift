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
        try AttributeDecoder(value: .map(item), codingPath: []).unbox(type)
    }

    static func box<Value: Encodable>(_ value: Value, codingPath: [any CodingKey] = []) throws -> AttributeValue {
        switch value {
        case let value as String: return .string(value)
        case let value as Int: return .int(Int64(value))
        case let value as Int64: return .int(value)
        case let value as Bool: return .bool(value)
        case let value as Double: return .double(value)
        // By its type: an empty array of anything can be cast to an array of bytes.
        case let value as [UInt8] where Value.self == [UInt8].self: return .bytes(value)
        default:
            let encoder = AttributeEncoder(codingPath: codingPath)
            try value.encode(to: encoder)
            return encoder.storage.value
        }
    }
}

/// Where an encoder and its containers put what they are given.
private final class Storage {
    private var content: Content = .none

    private enum Content {
        case none
        case single(AttributeValue)
        case map([String: Storage])
        case list([Storage])
    }

    var value: AttributeValue {
        switch content {
        case .none: .null
        case .single(let value): value
        case .map(let members): .map(members.mapValues(\.value))
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
        content = .map([:])
    }

    func beginList() {
        if case .list = content { return }
        content = .list([])
    }

    func member(_ name: String) -> Storage {
        let storage = Storage()
        if case .map(var members) = content {
            content = .none
            members[name] = storage
            content = .map(members)
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
    let codingPath: [any CodingKey]
    var storage = Storage()
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        storage.beginMap()
        return KeyedEncodingContainer(Keyed<Key>(codingPath: codingPath, storage: storage))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        storage.beginList()
        return Unkeyed(codingPath: codingPath, storage: storage)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        Single(codingPath: codingPath, storage: storage)
    }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let codingPath: [any CodingKey]
        let storage: Storage

        mutating func encodeNil(forKey key: Key) { storage.member(key.stringValue).set(.null) }

        mutating func encode(_ value: some Encodable, forKey key: Key) throws {
            storage.member(key.stringValue).set(try ItemCoding.box(value, codingPath: codingPath + [key]))
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) -> KeyedEncodingContainer<Nested> {
            AttributeEncoder(codingPath: codingPath + [key], storage: storage.member(key.stringValue)).container(
                keyedBy: type
            )
        }

        mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            AttributeEncoder(codingPath: codingPath + [key], storage: storage.member(key.stringValue))
                .unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder {
            AttributeEncoder(codingPath: codingPath, storage: storage.member("super"))
        }

        mutating func superEncoder(forKey key: Key) -> any Encoder {
            AttributeEncoder(codingPath: codingPath + [key], storage: storage.member(key.stringValue))
        }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let codingPath: [any CodingKey]
        let storage: Storage
        var count: Int { storage.count }

        mutating func encodeNil() { storage.element().set(.null) }

        mutating func encode(_ value: some Encodable) throws {
            storage.element().set(try ItemCoding.box(value, codingPath: codingPath))
        }

        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) -> KeyedEncodingContainer<Nested> {
            AttributeEncoder(codingPath: codingPath, storage: storage.element()).container(keyedBy: type)
        }

        mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            AttributeEncoder(codingPath: codingPath, storage: storage.element()).unkeyedContainer()
        }

        mutating func superEncoder() -> any Encoder {
            AttributeEncoder(codingPath: codingPath, storage: storage.element())
        }
    }

    struct Single: SingleValueEncodingContainer {
        let codingPath: [any CodingKey]
        let storage: Storage

        mutating func encodeNil() { storage.set(.null) }

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
                storage.set(try ItemCoding.box(value, codingPath: codingPath))
            }
        }
    }
}
