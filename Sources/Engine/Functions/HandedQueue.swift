// A queue some of whose messages were received by somebody else, who also deletes them.
import SluiceCore
import Synchronization

/// Passes everything on but the deletion of messages that were handed in: that is remembered, and reported at the end.
///
/// Whoever handed them in deletes those that were dealt with and lets the others come again, as Lambda does with a batch
/// of SQS.
final class HandedQueue: MessageQueue {
    private let queue: any MessageQueue
    /// What is in hand, and whether it has been dealt with.
    private let handed = Mutex<[MessageReceipt: Bool]>([:])

    init(_ queue: any MessageQueue) {
        self.queue = queue
    }

    var name: String { queue.name }
    var bodyBytesMax: Int { queue.bodyBytesMax }

    /// Works on messages; those that were not dealt with meanwhile.
    func hand(_ messages: [ReceivedMessage], _ work: () async -> Void) async -> Set<MessageReceipt> {
        handed.withLock { handed in
            for message in messages { handed[message.receipt] = false }
        }
        await work()
        return handed.withLock { handed in
            Set(messages.map(\.receipt).filter { handed.removeValue(forKey: $0) == false })
        }
    }

    /// Whether a message that was handed in has not been dealt with yet.
    func isOpen(_ receipt: MessageReceipt) -> Bool {
        handed.withLock { $0[receipt] == false }
    }

    func delete(_ receipts: [MessageReceipt]) async throws(PortError) {
        let others = handed.withLock { handed in
            receipts.filter { receipt in
                guard handed[receipt] != nil else { return true }
                handed[receipt] = true
                return false
            }
        }
        if !others.isEmpty { try await queue.delete(others) }
    }

    func send(_ messages: [OutgoingMessage]) async throws(PortError) {
        try await queue.send(messages)
    }

    func receive(
        limit: Int,
        invisible: Duration,
        wait: Duration
    ) async throws(PortError) -> [ReceivedMessage] {
        try await queue.receive(limit: limit, invisible: invisible, wait: wait)
    }

    func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError) {
        try await queue.changeVisibility(receipts, invisible: invisible)
    }

    func depth() async throws(PortError) -> QueueDepth {
        try await queue.depth()
    }
}
