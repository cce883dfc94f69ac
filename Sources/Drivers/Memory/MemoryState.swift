// All tables and queues of one backend, as one value.
import SluiceCore

/// What a memory backend holds, apart from objects; whoever has its lock has all of it.
struct MemoryState {
    private var tables: [String: MemoryTable] = [:]
    var queues: [String: MemoryQueueState] = [:]

    /// The table of a schema; made when it is first asked for.
    subscript(schema: TableSchema) -> MemoryTable {
        get { tables[schema.name, default: MemoryTable(schema)] }
        _modify { yield &tables[schema.name, default: MemoryTable(schema)] }
    }

    /// Applies all actions, or none.
    mutating func transact(_ actions: [TableAction], now: Timestamp) throws(PortError) {
        guard actions.count <= TableLimits.actionsPerTransaction else {
            throw PortError(.invalidRequest, "a transaction has \(actions.count) actions, at most 100 are allowed")
        }
        for (action, item) in try outcomes(of: actions) {
            if case .check = action.effect { continue }
            self[action.schema].store(item, at: action.key, now: now)
        }
    }

    /// What each action would leave behind; changes nothing.
    func outcomes(of actions: [TableAction]) throws(PortError) -> [(TableAction, AttributeMap?)] {
        try refuseRepeats(in: actions)
        var failed: [Int] = []
        var outcomes: [(TableAction, AttributeMap?)] = []
        for (position, action) in actions.enumerated() {
            let old = self[action.schema].item(action.key)
            if let condition = action.condition, !condition.holds(for: old) {
                failed.append(position)
            } else {
                outcomes.append((action, try action.outcome(old)))
            }
        }
        guard failed.isEmpty else {
            let keys = failed.map { "\(actions[$0].schema.name): \(actions[$0].key)" }.joined(separator: ", ")
            throw PortError(.conditionFailed, "the condition does not hold at \(keys)", failedActions: failed)
        }
        return outcomes
    }

    private func refuseRepeats(in actions: [TableAction]) throws(PortError) {
        var seen: [String: Set<ItemKey>] = [:]
        for action in actions where !seen[action.schema.name, default: []].insert(action.key).inserted {
            throw PortError(.invalidRequest, "two actions on \(action.schema.name): \(action.key)")
        }
    }
}

extension TableAction {
    /// The item that the action leaves where `old` was.
    fileprivate func outcome(_ old: AttributeMap?) throws(PortError) -> AttributeMap? {
        guard (key.sort == nil) == (schema.sortKey == nil) else {
            throw PortError(.invalidRequest, "\(key) is not a key of table \(schema.name)")
        }
        switch effect {
        case .check: return old
        case .delete: return nil
        case .put(let item): return try checked(item)
        case .update(let changes):
            var item = old ?? keyAttributes
            for change in changes { try change.apply(to: &item) }
            return try checked(item)
        }
    }

    private var keyAttributes: AttributeMap {
        var item: AttributeMap = [schema.partitionKey: .string(key.partition)]
        if let name = schema.sortKey { item[name] = key.sort.attributeValue }
        return item
    }

    private func checked(_ item: AttributeMap) throws(PortError) -> AttributeMap {
        guard schema.key(of: item) == key else {
            throw PortError(.invalidRequest, "the key attributes of the item do not say \(key)")
        }
        let bytes = item.storedBytes
        guard bytes <= TableLimits.itemBytesMax else {
            let limit = TableLimits.itemBytesMax
            throw PortError(.invalidRequest, "item \(key) has \(bytes) bytes, a table takes \(limit)")
        }
        return item
    }
}
