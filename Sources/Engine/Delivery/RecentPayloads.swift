// Keeps what this process has just put at hand, for it is mostly read again here within a second.
import OrderedCollections
import SluiceCore
import Synchronization

/// An object store that remembers the last objects put through it.
///
/// What is remembered is also stored: a crash loses nothing, and other processes read what they need from the store.
/// Only for objects that never change under their key.
struct RecentPayloads: ObjectStore {
    /// Room for what a job may have undelivered at the usual size of records; more is read from the store.
    static let bytesMax = 32 << 20

    private struct Memory {
        var objects: OrderedDictionary<String, [UInt8]> = [:]
        var bytes = 0

        mutating func forget(_ key: String) {
            if let old = objects.removeValue(forKey: key) { bytes -= old.count }
        }
    }

    private final class Recent: Sendable {
        let memory = Mutex(Memory())
    }

    let base: any ObjectStore
    private let recent = Recent()

    init(_ base: any ObjectStore) {
        self.base = base
    }

    func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try await base.put(bytes, at: key, onlyIfAbsent: onlyIfAbsent)
        guard bytes.count <= Self.bytesMax / 4 else { return }
        recent.memory.withLock { memory in
            memory.forget(key)
            memory.objects[key] = bytes
            memory.bytes += bytes.count
            while memory.bytes > Self.bytesMax, let oldest = memory.objects.keys.first { memory.forget(oldest) }
        }
    }

    func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        guard let bytes = recent.memory.withLock({ $0.objects[key] }) else {
            return try await base.read(key, range: range)
        }
        return range.map { Array(bytes[$0.clamped(to: 0..<bytes.count)]) } ?? bytes
    }

    func size(of key: String) async throws(PortError) -> Int? { try await base.size(of: key) }
    func write(_ key: String) async throws(PortError) -> any ObjectWriter { try await base.write(key) }

    func delete(_ keys: [String]) async throws(PortError) {
        recent.memory.withLock { memory in
            for key in keys { memory.forget(key) }
        }
        try await base.delete(keys)
    }

    func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        try await base.list(prefix: prefix, after: after, limit: limit)
    }
}
