// An object store that hands on to another, and fails when its plan says so.
public import SluiceCore

/// An object store with a fault; the parts of a streamed object count as calls of their own.
public struct FaultyObjectStore: ObjectStore {
    private let store: any ObjectStore
    private let plan: FaultPlan

    public init(_ store: any ObjectStore, plan: FaultPlan) {
        self.store = store
        self.plan = plan
    }

    public func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try await plan.call(.objectCall, "put \(key)") { () throws(PortError) in
            try await store.put(bytes, at: key, onlyIfAbsent: onlyIfAbsent)
        }
    }

    public func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        try await plan.call(.objectCall, "read \(key)") { () throws(PortError) in
            try await store.read(key, range: range)
        }
    }

    public func size(of key: String) async throws(PortError) -> Int? {
        try await plan.call(.objectCall, "size \(key)") { () throws(PortError) in try await store.size(of: key) }
    }

    public func write(_ key: String) async throws(PortError) -> any ObjectWriter {
        let writer = try await plan.call(.objectCall, "write \(key)") { () throws(PortError) in
            try await store.write(key)
        }
        return FaultyObjectWriter(key: key, writer: writer, plan: plan)
    }

    public func delete(_ keys: [String]) async throws(PortError) {
        try await plan.call(.objectCall, "delete \(keys.joined(separator: " "))") { () throws(PortError) in
            try await store.delete(keys)
        }
    }

    public func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        try await plan.call(.objectCall, "list \(prefix)") { () throws(PortError) in
            try await store.list(prefix: prefix, after: after, limit: limit)
        }
    }
}

private struct FaultyObjectWriter: ObjectWriter {
    let key: String
    let writer: any ObjectWriter
    let plan: FaultPlan

    func append(_ bytes: [UInt8]) async throws(PortError) {
        try await plan.call(.objectCall, "append \(key)") { () throws(PortError) in try await writer.append(bytes) }
    }

    func finish() async throws(PortError) {
        try await plan.call(.objectCall, "finish \(key)") { () throws(PortError) in try await writer.finish() }
    }

    func abandon() async {
        await writer.abandon()
    }
}
