// One queue: its messages, which of them are ready, and when the others will be.
import DequeModule
import HeapModule
import SluiceCore

/// A queue as a value.
struct MemoryQueueState {
    let setup: QueueSetup
    let bodyBytesMax: Int
    private var messages: [Int: MemoryMessage] = [:]
    /// Messages that can be received, the longest waiting first, and some that were deleted.
    private var ready: Deque<Int> = []
    /// When messages become ready; entries whose message has changed since are passed over.
    private var hidden = Heap<Due>()
    /// When messages end; entries of deleted messages are passed over.
    private var ends = Heap<Due>()
    private var nextID = 0
    private var bells = Bells()

    private struct Due: Comparable {
        let at: Timestamp
        let id: Int

        static func < (left: Due, right: Due) -> Bool { (left.at, left.id) < (right.at, right.id) }
    }

    init(_ setup: QueueSetup, bodyBytesMax: Int) {
        self.setup = setup
        self.bodyBytesMax = bodyBytesMax
    }

    /// Refuses messages that no call may send.
    func check(_ messages: [OutgoingMessage]) throws(PortError) {
        for message in messages {
            guard message.body.count <= bodyBytesMax else {
                throw PortError(
                    .invalidRequest,
                    "a body has \(message.body.count) bytes, queue \(setup.name) takes \(bodyBytesMax)"
                )
            }
            guard (.zero ... .seconds(900)).contains(message.delay) else {
                throw PortError(.invalidRequest, "a delay is up to 15 minutes, not \(message.delay)")
            }
        }
    }

    mutating func send(_ outgoing: [OutgoingMessage], now: Timestamp) {
        for message in outgoing {
            add(MemoryMessage(body: message.body, sentAt: now, due: now.advanced(by: message.delay)), now: now)
        }
    }

    /// Takes in a message, also one that comes from another queue.
    mutating func add(_ message: MemoryMessage, now: Timestamp) {
        nextID += 1
        messages[nextID] = message
        ends.insert(Due(at: message.sentAt.advanced(by: setup.retention), id: nextID))
        place(nextID, due: message.due, now: now)
    }

    /// What a receive takes away: deliveries, and what goes to the dead-letter queue instead.
    struct Taken {
        var received: [ReceivedMessage] = []
        var dead: [MemoryMessage] = []
    }

    mutating func receive(limit: Int, invisible: Duration, by owner: OwnerID, now: Timestamp) -> Taken {
        refresh(now: now)
        var taken = Taken()
        let due = now.advanced(by: invisible)
        // Counted, so that a message received with no hiding at all comes once in a call.
        var left = ready.count
        while left > 0, taken.received.count < limit, let id = ready.popFirst() {
            left -= 1
            guard var message = messages[id] else { continue }
            message.isReady = false
            if let most = setup.maxReceiveCount, setup.deadLetterQueue != nil, message.receiveCount >= most {
                messages[id] = nil
                taken.dead.append(MemoryMessage(body: message.body, sentAt: message.sentAt, due: now))
                continue
            }
            message.receiveCount += 1
            message.receiver = owner
            messages[id] = message
            place(id, due: due, now: now)
            taken.received.append(message.delivery(id: id))
        }
        return taken
    }

    mutating func delete(_ receipts: [MessageReceipt]) {
        for receipt in receipts {
            if let id = current(receipt) { messages[id] = nil }
        }
    }

    mutating func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration, now: Timestamp) {
        refresh(now: now)
        for receipt in receipts {
            if let id = current(receipt) { place(id, due: now.advanced(by: invisible), now: now) }
        }
    }

    /// Gives back what an owner had received.
    mutating func release(from owner: OwnerID, now: Timestamp) {
        refresh(now: now)
        for id in messages.keys.sorted() where messages[id]?.receiver == owner && messages[id]?.isReady == false {
            place(id, due: now, now: now)
        }
    }

    mutating func depth(now: Timestamp) -> QueueDepth {
        refresh(now: now)
        var depth = QueueDepth()
        for message in messages.values {
            if message.isReady {
                depth.visible += 1
            } else if message.receiveCount > 0 {
                depth.invisible += 1
            } else {
                depth.delayed += 1
            }
        }
        return depth
    }

    /// When the next message becomes ready, if one is hidden.
    var nextDue: Timestamp? { hidden.min?.at }

    /// A bell that rings when something may be ready earlier than `nextDue` says.
    mutating func hangBell() -> Bell { bells.hang() }
}

extension MemoryQueueState {
    /// The id of the message that a receipt is good for.
    private func current(_ receipt: MessageReceipt) -> Int? {
        let parts = receipt.token.split(separator: ".").map { Int($0) }
        guard parts.count == 2, let id = parts[0], let count = parts[1] else { return nil }
        return messages[id]?.receiveCount == count ? id : nil
    }

    /// Puts a message where its due time belongs, and tells those who wait if that is news to them.
    private mutating func place(_ id: Int, due: Timestamp, now: Timestamp) {
        guard let wasReady = messages[id]?.isReady else { return }
        let firstDue = nextDue
        messages[id]?.due = due
        messages[id]?.isReady = due <= now
        if due > now {
            hidden.insert(Due(at: due, id: id))
            if wasReady { ready.removeAll { $0 == id } }
        } else if !wasReady {
            ready.append(id)
        }
        if due <= now || firstDue.map({ due < $0 }) ?? true { bells.ringAll() }
    }

    /// Moves what has become ready among the ready, and lets go what has been kept long enough.
    private mutating func refresh(now: Timestamp) {
        while let end = ends.min, end.at <= now {
            ends.removeMin()
            messages[end.id] = nil
        }
        while let next = hidden.min {
            guard let message = messages[next.id], message.due == next.at, !message.isReady else {
                hidden.removeMin()
                continue
            }
            guard next.at <= now else { return }
            hidden.removeMin()
            messages[next.id]?.isReady = true
            ready.append(next.id)
        }
    }
}

/// A message as its queue keeps it.
struct MemoryMessage: Sendable {
    let body: [UInt8]
    let sentAt: Timestamp
    /// When it may be received next.
    var due: Timestamp
    var receiveCount = 0
    var isReady = false
    /// Who received it last.
    var receiver: OwnerID?

    init(body: [UInt8], sentAt: Timestamp, due: Timestamp) {
        self.body = body
        self.sentAt = sentAt
        self.due = due
    }

    /// The message as its receiver sees it; the count makes receipts of earlier deliveries stale.
    func delivery(id: Int) -> ReceivedMessage {
        ReceivedMessage(
            receipt: MessageReceipt(token: "\(id).\(receiveCount)"),
            body: body,
            receiveCount: receiveCount,
            sentAt: sentAt
        )
    }
}
