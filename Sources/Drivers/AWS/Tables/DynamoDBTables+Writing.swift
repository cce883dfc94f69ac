// Writes to DynamoDB: one by itself, several as a transaction, many in batches.
package import SluiceCore

extension DynamoDBTables {
    package func transact(_ actions: [TableAction]) async throws(PortError) {
        guard (1...TableLimits.actionsPerTransaction).contains(actions.count) else {
            throw PortError(.invalidRequest, "a transaction has 1 to 100 actions, not \(actions.count)")
        }
        try Self.checkDistinct(actions)
        var writes: [DynamoDBWrite] = []
        var positions: [Int] = []
        for (position, action) in actions.enumerated() {
            try Self.check(action.key, of: action.schema)
            let write = try DynamoDBWrite(action, table: name(of: action.schema), isAlone: actions.count == 1)
            if write.isEmptyCheck { continue }
            writes.append(write)
            positions.append(position)
        }
        guard let first = writes.first else { return }
        do {
            if actions.count == 1, let operation = first.operation.call {
                try await service.write(first, operation)
            } else {
                try await service.transact(writes, token: random.hexadecimal(32))
            }
        } catch {
            throw error.portError(of: writes, positions: positions)
        }
    }

    private static func checkDistinct(_ actions: [TableAction]) throws(PortError) {
        guard actions.count > 1 else { return }
        var seen: [String: Set<ItemKey>] = [:]
        for action in actions where !seen[action.schema.name, default: []].insert(action.key).inserted {
            throw PortError(.invalidRequest, "a transaction has two actions on \(action.schema.name) \(action.key)")
        }
    }

    package func writeEach(_ actions: [TableAction]) async throws(PortError) {
        var batch = WriteBatch()
        for action in actions {
            try Self.check(action.key, of: action.schema)
            let request = try WriteBatch.request(action)
            if !batch.hasRoom(for: action, request) {
                try await write(batch)
                batch = WriteBatch()
            }
            batch.add(action, request, table: name(of: action.schema))
        }
        try await write(batch)
    }

    /// Writes a whole batch: what DynamoDB leaves undone is sent again until nothing is left.
    private func write(_ batch: WriteBatch) async throws(PortError) {
        guard batch.count > 0 else { return }
        var request = batch.request
        var course = BatchCourse(left: batch.count)
        while !request.isEmpty {
            let outcome = try await ported { () async throws(AWSError) in try await service.write(request) }
            request = outcome.rest
            course.note(left: outcome.restCount)
            if course.left > 0 { try await pause(course, "BatchWriteItem") }
        }
    }
}

/// Puts and deletes of distinct items that go out together.
private struct WriteBatch {
    private var requests: [(table: String, requests: AWSJSONWriter)] = []
    private var keys: [String: Set<ItemKey>] = [:]
    private var bytes = 0
    private(set) var count = 0

    /// A put or a delete as a batch has it.
    static func request(_ action: TableAction) throws(PortError) -> [UInt8] {
        var request = AWSJSONWriter()
        switch action.effect {
        case .put(let item) where action.condition == nil:
            guard action.schema.key(of: item) == action.key else {
                throw PortError(.invalidRequest, "an item for \(action.schema.name) \(action.key) has another key")
            }
            request.json(#"{"PutRequest":{"Item":"#)
            try request.item(item)
        case .delete where action.condition == nil:
            request.json(#"{"DeleteRequest":{"Key":"#)
            request.key(action.key, of: action.schema)
        default: throw PortError(.invalidRequest, "writeEach takes puts and deletes without conditions")
        }
        request.json("}}")
        return request.bytes
    }

    /// A second write to an item waits for the next batch, so that it is the later one.
    func hasRoom(for action: TableAction, _ request: [UInt8]) -> Bool {
        count < DynamoDB.writesPerBatch && (count == 0 || bytes + request.count <= DynamoDB.batchBytesMax)
            && keys[action.schema.name]?.contains(action.key) != true
    }

    mutating func add(_ action: TableAction, _ request: [UInt8], table: String) {
        let position = requests.firstIndex { $0.table == table } ?? requests.count
        if position == requests.count { requests.append((table, AWSJSONWriter())) }
        requests[position].requests.comma()
        requests[position].requests.json(request)
        keys[action.schema.name, default: []].insert(action.key)
        bytes += request.count
        count += 1
    }

    /// The writes by table.
    var request: [UInt8] {
        var all = AWSJSONWriter()
        all.json("{")
        for (table, requests) in requests {
            all.name(table)
            all.json("[")
            all.json(requests.bytes)
            all.json("]")
        }
        all.json("}")
        return all.bytes
    }
}
