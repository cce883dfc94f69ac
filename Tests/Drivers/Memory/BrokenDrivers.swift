// Drivers that break one promise each, to see that the contracts notice.
import SluiceCore

/// A queue that hands on to another, except where a test breaks it.
struct BrokenQueue: MessageQueue {
    enum Fault: CaseIterable {
        case losesOneOfMany, ignoresDelay, ignoresVisibility, deletesNothing, deletesWithAnyReceipt, neverWakes
        case countsNothing, sendsBeforeChecking, losesOnCancel, cutsBodies
    }

    let queue: any MessageQueue
    let fault: Fault

    var name: String { queue.name }
    var bodyBytesMax: Int { queue.bodyBytesMax }

    func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        var messages = messages
        switch fault {
        case .losesOneOfMany: messages = messages.count > 1 ? messages.dropLast() : messages
        case .ignoresDelay: messages = messages.map { OutgoingMessage(body: $0.body) }
        case .cutsBodies: messages = messages.map { OutgoingMessage(body: $0.body.dropLast(), delay: $0.delay) }
        case .sendsBeforeChecking:
            for message in messages { try await queue.send([message]) }
            return
        default: break
        }
        try await queue.send(messages)
    }

    func receive(limit: Int, invisible: Duration, wait: Duration) async throws(PortError) -> [ReceivedMessage] {
        let received = try await queue.receive(
            limit: limit,
            invisible: fault == .ignoresVisibility ? .zero : invisible,
            wait: fault == .neverWakes ? .zero : wait
        )
        if fault == .losesOnCancel, Task.isCancelled { throw PortError(.cancelled, "cancelled") }
        return received.map { message in
            ReceivedMessage(
                receipt: message.receipt,
                body: message.body,
                receiveCount: fault == .countsNothing ? 1 : message.receiveCount,
                sentAt: message.sentAt
            )
        }
    }

    func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        switch fault {
        case .deletesNothing: return
        case .deletesWithAnyReceipt:
            for receipt in receipts {
                let id = receipt.token.prefix { $0 != "." }
                try await queue.delete((1...9).map { MessageReceipt(token: "\(id).\($0)") })
            }
        default: try await queue.delete(receipts)
        }
    }

    func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        try await queue.changeVisibility(receipts, invisible: invisible)
    }

    func depth() async throws(PortError) -> QueueDepth { try await queue.depth() }
}

/// A table store that hands on to another, except where a test breaks it.
struct BrokenStore: TableStore {
    enum Fault: CaseIterable {
        case ignoresConditions, appliesOneByOne, losesAdditions, ignoresDescending, repeatsPages, showsExpired
        case forgetsPositions, putsMerge
    }

    let store: any TableStore
    let fault: Fault

    private func shown(_ schema: TableSchema) -> TableSchema {
        guard fault == .showsExpired else { return schema }
        return TableSchema(
            name: schema.name,
            partitionKey: schema.partitionKey,
            sortKey: schema.sortKey,
            indexes: schema.indexes
        )
    }

    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await store.get(key, in: shown(schema))
    }

    func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        try await store.get(keys, in: shown(schema))
    }

    func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        var query = query
        if fault == .ignoresDescending { query.descending = false }
        if fault == .repeatsPages, query.limit > 1 { query.limit -= 1 }
        var page = try await store.query(query, in: shown(schema))
        if fault == .repeatsPages, let last = page.items.last { page.items.append(last) }
        return page
    }

    func scan(_ schema: TableSchema, limit: Int, after: TableCursor?) async throws(PortError) -> TableQueryPage {
        try await store.scan(shown(schema), limit: limit, after: after)
    }

    func transact(_ actions: [TableAction]) async throws(PortError) {
        switch fault {
        case .ignoresConditions:
            try await store.transact(actions.map { TableAction($0.schema, $0.key, $0.effect) })
        case .appliesOneByOne where (2...100).contains(actions.count):
            for action in actions { try await store.transact([action]) }
        case .losesAdditions:
            try await addByReading(actions)
        case .putsMerge:
            try await store.transact(actions.map(merging))
        case .forgetsPositions:
            do {
                try await store.transact(actions)
            } catch {
                throw PortError(error.code, error.message)
            }
        default:
            try await store.transact(actions)
        }
    }

    /// Adds what it read before, as if nobody else wrote.
    private func addByReading(_ actions: [TableAction]) async throws(PortError) {
        var blind: [TableAction] = []
        for action in actions {
            guard case .update(let changes) = action.effect,
                let old = try await store.get(action.key, in: action.schema)
            else {
                blind.append(action)
                continue
            }
            await Task.yield()
            var new = old
            for change in changes { try change.apply(to: &new) }
            blind.append(TableAction(action.schema, action.key, .put(new), if: action.condition))
        }
        try await store.transact(blind)
    }

    private func merging(_ action: TableAction) -> TableAction {
        guard case .put(let item) = action.effect, action.schema.key(of: item) == action.key else { return action }
        let others = item.filter { $0.key != action.schema.partitionKey && $0.key != action.schema.sortKey }
        let changes = others.map { AttributeChange.set($0.key, $0.value) }
        return TableAction(action.schema, action.key, .update(changes), if: action.condition)
    }

    func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try await store.writeEach(actions)
    }
}
