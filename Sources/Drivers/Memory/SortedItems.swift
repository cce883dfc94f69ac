// Items in the order of their keys' bytes.
import SluiceCore

/// The parts of a key, compared byte by byte.
struct SortKey: Comparable {
    let parts: [String]

    init(_ parts: String...) {
        self.parts = parts
    }

    init(parts: [String]) {
        self.parts = parts
    }

    static func == (left: SortKey, right: SortKey) -> Bool {
        left.parts.elementsEqual(right.parts) { $0.utf8.elementsEqual($1.utf8) }
    }

    static func < (left: SortKey, right: SortKey) -> Bool {
        for (left, right) in zip(left.parts, right.parts) where !left.utf8.elementsEqual(right.utf8) {
            return left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        return left.parts.count < right.parts.count
    }
}

/// Values under keys, sorted: an array, because keys mostly come in their order and pages are read in theirs.
///
/// The `SortedDictionary` of swift-collections would serve, but is not stable yet.
struct SortedItems<Value> {
    private(set) var keys: [SortKey] = []
    private(set) var values: [Value] = []

    var isEmpty: Bool { keys.isEmpty }

    /// The position of the first key that is not less; `keys.count` if all are.
    func position(of key: SortKey) -> Int {
        if let last = keys.last, last < key { return keys.count }
        var low = 0
        var high = keys.count
        while low < high {
            let middle = (low + high) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    subscript(key: SortKey) -> Value? {
        get {
            let position = position(of: key)
            return position < keys.count && keys[position] == key ? values[position] : nil
        }
        set {
            let position = position(of: key)
            let isThere = position < keys.count && keys[position] == key
            switch (newValue, isThere) {
            case (let value?, true):
                values[position] = value
            case (let value?, false):
                keys.insert(key, at: position)
                values.insert(value, at: position)
            case (nil, true):
                keys.remove(at: position)
                values.remove(at: position)
            case (nil, false):
                break
            }
        }
    }
}
