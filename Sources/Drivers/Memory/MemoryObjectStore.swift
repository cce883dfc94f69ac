// Objects in memory.
public import SluiceCore
import Synchronization

/// An object store that keeps its objects in memory.
public final class MemoryObjectStore: ObjectStore {
    private let objects = Mutex(SortedItems<[UInt8]>())

    public init() {}

    public func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try ObjectKey.check(key)
        let isPut = objects.withLock { objects in
            let place = SortKey(key)
            if onlyIfAbsent, objects[place] != nil { return false }
            objects[place] = bytes
            return true
        }
        guard isPut else { throw PortError(.conditionFailed, "there is an object at \(key)") }
    }

    public func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        guard let bytes = objects.withLock({ $0[SortKey(key)] }) else {
            throw PortError(.notFound, "there is no object at \(key)")
        }
        guard let range else { return bytes }
        return Array(bytes[range.clamped(to: 0..<bytes.count)])
    }

    public func size(of key: String) async throws(PortError) -> Int? {
        objects.withLock { $0[SortKey(key)]?.count }
    }

    public func write(_ key: String) async throws(PortError) -> any ObjectWriter {
        try ObjectKey.check(key)
        return MemoryObjectWriter(key: key, store: self)
    }

    public func delete(_ keys: [String]) async throws(PortError) {
        objects.withLock { objects in
            for key in keys { objects[SortKey(key)] = nil }
        }
    }

    public func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        objects.withLock { objects in
            var position = objects.position(of: SortKey(prefix))
            if let after {
                let last = SortKey(after)
                let next = objects.position(of: last)
                position = max(position, next < objects.keys.count && objects.keys[next] == last ? next + 1 : next)
            }
            let keys = objects.keys[position...].prefix { $0.parts[0].utf8.starts(with: prefix.utf8) }.prefix(limit)
            return keys.indices.map { ObjectSummary(key: objects.keys[$0].parts[0], bytes: objects.values[$0].count) }
        }
    }
}

/// Parts of an object, kept apart from the store until they are whole.
private final class MemoryObjectWriter: ObjectWriter {
    private let key: String
    private let store: MemoryObjectStore
    private let bytes = Mutex<[UInt8]>([])

    init(key: String, store: MemoryObjectStore) {
        self.key = key
        self.store = store
    }

    func append(_ bytes: [UInt8]) async throws(PortError) {
        self.bytes.withLock { $0 += bytes }
    }

    func finish() async throws(PortError) {
        try await store.put(bytes.withLock { $0 }, at: key, onlyIfAbsent: false)
    }

    func abandon() async {
        bytes.withLock { $0 = [] }
    }
}
