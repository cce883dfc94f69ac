// A JSON object whose fields keep their order.

/// Fields by name, in the order they were first set.
///
/// Names are compared by their bytes, so that two spellings which Swift holds for the same stay two fields. They are looked up
/// by walking, which is quickest for the few dozen fields of an item or a message; a large object is parsed with an index of
/// its own. Two objects are equal if they say the same, in whatever order.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
    public struct Member: Sendable {
        public let name: String
        public var value: JSONValue
    }

    public private(set) var members: [Member] = []

    public init() {}

    /// A repeated name sets the value again, as in a parsed text.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (name, value) in elements { self[name] = value }
    }

    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }

    /// Setting nothing removes the field; setting a new name puts it last.
    public subscript(name: String) -> JSONValue? {
        get {
            members.first { $0.name.hasSameBytes(as: name) }?.value
        }
        set {
            let index = members.firstIndex { $0.name.hasSameBytes(as: name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension JSONObject: Equatable {
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.count == right.count else { return false }
        // The same order is the common case, and needs no looking up.
        let pairs = zip(left.members, right.members)
        if pairs.allSatisfy({ $0.name.hasSameBytes(as: $1.name) }) { return pairs.allSatisfy { $0.value == $1.value } }
        var values: [[UInt8]: JSONValue] = [:]
        for member in right.members { values[Array(member.name.utf8)] = member.value }
        return left.members.allSatisfy { values[Array($0.name.utf8)] == $0.value }
    }
}

/// Collects the members of one object while it is parsed: of a repeated name the last value counts, at the first one's place.
struct JSONObjectBuilder {
    private static let walkedMax = 16

    private(set) var object = JSONObject()
    /// Where each name stands, once there are too many to walk.
    private var places: [[UInt8]: Int] = [:]

    mutating func add(_ name: String, _ value: JSONValue) {
        guard object.count >= Self.walkedMax else {
            object[name] = value
            return
        }
        if places.isEmpty {
            for (place, member) in object.members.enumerated() { places[Array(member.name.utf8)] = place }
        }
        let key = Array(name.utf8)
        if let place = places[key] {
            object.replace(at: place, with: value)
        } else {
            places[key] = object.count
            object.append(name, value)
        }
    }
}

extension String {
    func hasSameBytes(as other: String) -> Bool {
        utf8.elementsEqual(other.utf8)
    }
}

extension JSONObject {
    fileprivate mutating func replace(at place: Int, with value: JSONValue) {
        members[place].value = value
    }

    fileprivate mutating func append(_ name: String, _ value: JSONValue) {
        members.append(Member(name: name, value: value))
    }
}
