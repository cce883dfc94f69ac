// The port of a backend whose tables and queues share one transaction.

/// Table writes, sends and deletes that happen together or not at all; only an embedded backend can promise it.
public protocol AtomicBackend: Sendable {
    /// Applies the whole batch, or nothing of it; durable on return.
    ///
    /// - Throws: `PortError`, as `TableStore.transact` and `MessageQueue.send` do.
    func commit(_ batch: AtomicBatch) async throws(PortError)
}

/// What is to happen together.
public struct AtomicBatch: Sendable {
    /// 0 to 100 actions on distinct items.
    public var actions: [TableAction]
    public var sends: [Send]
    /// Out-of-date receipts are ignored.
    public var deletes: [Delete]

    public struct Send: Sendable {
        public var queue: String
        public var messages: [OutgoingMessage]

        public init(queue: String, messages: [OutgoingMessage]) {
            self.queue = queue
            self.messages = messages
        }
    }

    public struct Delete: Sendable {
        public var queue: String
        public var receipts: [MessageReceipt]

        public init(queue: String, receipts: [MessageReceipt]) {
            self.queue = queue
            self.receipts = receipts
        }
    }

    public init(actions: [TableAction] = [], sends: [Send] = [], deletes: [Delete] = []) {
        self.actions = actions
        self.sends = sends
        self.deletes = deletes
    }
}
