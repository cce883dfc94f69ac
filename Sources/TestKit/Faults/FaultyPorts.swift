// Ports that hand on to others, and fail when their plan says so.
public import SluiceCore

/// A table store with a fault.
public struct FaultyTableStore: TableStore {
    private let store: any TableStore
    private let plan: FaultPlan

    public init(_ store: any TableStore, plan: FaultPlan) {
        self.store = store
        self.plan = plan
    }

    public func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await plan.call(.storeRead, "get \(schema.name)") { () throws(PortError) in
            try await store.get(key, in: schema)
        }
    }

    public func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        try await plan.call(.storeRead, "get \(schema.name)") { () throws(PortError) in
            try await store.get(keys, in: schema)
        }
    }

    public func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        try await plan.call(.storeRead, "query \(schema.name)") { () throws(PortError) in
            try await store.query(query, in: schema)
        }
    }

    public func scan(
        _ schema: TableSchema,
        limit: Int,
        after cursor: TableCursor?
    ) async throws(PortError) -> TableQueryPage {
        try await plan.call(.storeRead, "scan \(schema.name)") { () throws(PortError) in
            try await store.scan(schema, limit: limit, after: cursor)
        }
    }

    public func transact(_ actions: [TableAction]) async throws(PortError) {
        try await plan.call(.storeWrite, "transact \(actions.tables)") { () throws(PortError) in
            try await store.transact(actions)
        }
    }

    public func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try await plan.call(.storeWrite, "writeEach \(actions.tables)") { () throws(PortError) in
            try await store.writeEach(actions)
        }
    }
}

extension [TableAction] {
    /// The tables that the actions are about.
    fileprivate var tables: String { Set(map(\.schema.name)).sorted().joined(separator: "+") }
}

/// A queue with a fault; messages whose receipt was lost on the way come again when their time is over.
public struct FaultyQueue: MessageQueue {
    private let queue: any MessageQueue
    private let plan: FaultPlan

    public init(_ queue: any MessageQueue, plan: FaultPlan) {
        self.queue = queue
        self.plan = plan
    }

    public var name: String { queue.name }
    public var bodyBytesMax: Int { queue.bodyBytesMax }

    public func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        try await plan.call(.queueCall, "send \(name)") { () throws(PortError) in try await queue.send(messages) }
    }

    public func receive(
        limit: Int,
        invisible: Duration,
        wait: Duration
    ) async throws(PortError) -> [ReceivedMessage] {
        try await plan.call(.queueCall, "receive \(name)") { () throws(PortError) in
            try await queue.receive(limit: limit, invisible: invisible, wait: wait)
        }
    }

    public func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        try await plan.call(.queueCall, "delete \(name)") { () throws(PortError) in try await queue.delete(receipts) }
    }

    public func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        try await plan.call(.queueCall, "changeVisibility \(name)") { () throws(PortError) in
            try await queue.changeVisibility(receipts, invisible: invisible)
        }
    }

    public func depth() async throws(PortError) -> QueueDepth {
        try await plan.call(.queueCall, "depth \(name)") { () throws(PortError) in try await queue.depth() }
    }
}

/// Transactions across tables and queues, with a fault.
public struct FaultyAtomicBackend: AtomicBackend {
    private let backend: any AtomicBackend
    private let plan: FaultPlan

    public init(_ backend: any AtomicBackend, plan: FaultPlan) {
        self.backend = backend
        self.plan = plan
    }

    public func commit(_ batch: AtomicBatch) async throws(PortError) {
        let queues = Set(batch.sends.map(\.queue) + batch.deletes.map(\.queue)).sorted().joined(separator: "+")
        try await plan.call(.commit, "commit \(batch.actions.tables) \(queues)") { () throws(PortError) in
            try await backend.commit(batch)
        }
    }
}

extension Backend {
    /// The same backend with the faults of one plan at tables, queues, objects and transactions.
    public func failing(by plan: FaultPlan) -> Backend {
        Backend(
            tables: FaultyTableStore(tables, plan: plan),
            queues: Queues(
                replay: FaultyQueue(queues.replay, plan: plan),
                replayDeadLetters: FaultyQueue(queues.replayDeadLetters, plan: plan),
                progress: FaultyQueue(queues.progress, plan: plan),
                progressDeadLetters: FaultyQueue(queues.progressDeadLetters, plan: plan)
            ),
            objects: FaultyObjectStore(objects, plan: plan),
            feed: feed,
            owners: owners,
            atomic: atomic.map { FaultyAtomicBackend($0, plan: plan) }
        )
    }
}
