// Ports that hand on to others, and before each call do what a test says: look, or refuse.
import SluiceCore

@testable import SluiceEngine

/// What is done before a call, told its name and, of a table's, its actions; an error is the call's.
typealias PortHook = @Sendable (_ call: String, _ actions: [TableAction]) async throws(PortError) -> Void

/// As a driver over a network: what a cancelled task calls ends at once, and changes nothing.
@Sendable
func refuseIfCancelled(_ call: String, _ actions: [TableAction]) async throws(PortError) {
    if Task.isCancelled { throw PortError(.cancelled, "\(call) in a cancelled task") }
}

struct HookedTables: TableStore {
    let base: any TableStore
    let hook: PortHook

    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await hook("get", [])
        return try await base.get(key, in: schema)
    }

    func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        try await hook("get", [])
        return try await base.get(keys, in: schema)
    }

    func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        try await hook("query", [])
        return try await base.query(query, in: schema)
    }

    func scan(_ schema: TableSchema, limit: Int, after: TableCursor?) async throws(PortError) -> TableQueryPage {
        try await hook("scan", [])
        return try await base.scan(schema, limit: limit, after: after)
    }

    func transact(_ actions: [TableAction]) async throws(PortError) {
        try await hook("transact", actions)
        try await base.transact(actions)
    }

    func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try await hook("writeEach", actions)
        try await base.writeEach(actions)
    }
}

struct HookedQueue: MessageQueue {
    let base: any MessageQueue
    let hook: PortHook
    var name: String { base.name }
    var bodyBytesMax: Int { base.bodyBytesMax }

    func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        try await hook("send", [])
        try await base.send(messages)
    }

    func receive(limit: Int, invisible: Duration, wait: Duration) async throws(PortError) -> [ReceivedMessage] {
        try await hook("receive", [])
        return try await base.receive(limit: limit, invisible: invisible, wait: wait)
    }

    func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        try await hook("delete", [])
        try await base.delete(receipts)
    }

    func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        try await hook("changeVisibility", [])
        try await base.changeVisibility(receipts, invisible: invisible)
    }

    func depth() async throws(PortError) -> QueueDepth {
        try await hook("depth", [])
        return try await base.depth()
    }
}

struct HookedObjects: ObjectStore {
    let base: any ObjectStore
    let hook: PortHook

    func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try await hook("put", [])
        try await base.put(bytes, at: key, onlyIfAbsent: onlyIfAbsent)
    }

    func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        try await hook("read", [])
        return try await base.read(key, range: range)
    }

    func size(of key: String) async throws(PortError) -> Int? {
        try await hook("size", [])
        return try await base.size(of: key)
    }

    func write(_ key: String) async throws(PortError) -> any ObjectWriter {
        try await hook("write", [])
        return try await base.write(key)
    }

    func delete(_ keys: [String]) async throws(PortError) {
        try await hook("delete", [])
        try await base.delete(keys)
    }

    func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        try await hook("list", [])
        return try await base.list(prefix: prefix, after: after, limit: limit)
    }
}

extension EngineContext {
    /// The same with a hook before calls of some of its ports, and nothing remembered of what it has written.
    func hooked(
        tables: PortHook? = nil,
        replay: PortHook? = nil,
        progress: PortHook? = nil,
        objects: PortHook? = nil
    ) -> EngineContext {
        let queues = backend.queues
        return EngineContext(
            backend: Backend(
                tables: tables.map { HookedTables(base: backend.tables, hook: $0) } ?? backend.tables,
                queues: Queues(
                    replay: replay.map { HookedQueue(base: queues.replay, hook: $0) } ?? queues.replay,
                    replayDeadLetters: queues.replayDeadLetters,
                    progress: progress.map { HookedQueue(base: queues.progress, hook: $0) } ?? queues.progress,
                    progressDeadLetters: queues.progressDeadLetters
                ),
                objects: objects.map { HookedObjects(base: backend.objects, hook: $0) } ?? backend.objects,
                feed: backend.feed,
                owners: backend.owners,
                atomic: backend.atomic
            ),
            parts: parts,
            settings: settings,
            clock: clock,
            random: random,
            logger: logger
        )
    }
}
