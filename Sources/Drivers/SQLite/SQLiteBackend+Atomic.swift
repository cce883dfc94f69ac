// Table writes, sends and deletes in one transaction.
public import SluiceCore

extension SQLiteBackend: AtomicBackend {
    public func commit(_ batch: AtomicBatch) async throws(PortError) {
        var sends: [(QueueRows, [OutgoingMessage])] = []
        for send in batch.sends where !send.messages.isEmpty {
            let queue = try known(send.queue)
            try queue.check(send.messages)
            sends.append((queue.rows, send.messages))
        }
        var deletes: [(QueueRows, [MessageReceipt])] = []
        for deletion in batch.deletes { deletes.append((try known(deletion.queue).rows, deletion.receipts)) }
        let actions = try await tables.prepare(batch.actions)
        guard !(actions.isEmpty && sends.isEmpty && deletes.isEmpty) else { return }
        try await store.write { [sends, deletes] session in
            try TableRows.apply(actions, in: session)
            for (queue, messages) in sends { try queue.insert(messages, in: session) }
            for (queue, receipts) in deletes { try queue.delete(receipts, in: session) }
        }
    }

    private func known(_ name: String) throws(PortError) -> SQLiteQueue {
        guard let queue = queue(name) else {
            throw PortError(.notFound, "the database \(path) was opened without the queue \(name)")
        }
        return queue
    }
}
