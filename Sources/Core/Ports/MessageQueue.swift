// The port to queues: at least once, unordered, invisible while somebody works on it.

/// A queue of messages.
///
/// Delivers at least once, in any order; whatever is not deleted comes again. Durations may be rounded up to whole seconds.
public protocol MessageQueue: Sendable {
    var name: String { get }

    /// How large a message's body may be, in bytes.
    var bodyBytesMax: Int { get }

    /// Adds messages; all are durable on return.
    ///
    /// On an error any part of them may have been sent; sending all of them again is safe for a receiver that expects
    /// duplicates, which every receiver must.
    ///
    /// - Throws: `PortError`: `invalidRequest` if a body is larger than `bodyBytesMax` or a delay over 15 minutes.
    func send(_ messages: [OutgoingMessage]) async throws(PortError)

    /// Up to `limit` messages (1 to 1000), which nobody else receives for the next `invisible`.
    ///
    /// Waits up to `wait` for the first one, without polling busily; returns early, and possibly empty, when the task
    /// is cancelled. What a queue across a network gives in that very moment stays hidden for `invisible`, as if its
    /// receiver had crashed. Each receipt is good for deleting until the message is received again.
    ///
    /// - Throws: `PortError`: `invalidRequest` if `invisible` is over 12 hours.
    func receive(
        limit: Int,
        invisible: Duration,
        wait: Duration
    ) async throws(PortError) -> [ReceivedMessage]

    /// Removes messages for good. A receipt that is out of date is ignored: the message belongs to its next receiver.
    func delete(_ receipts: [MessageReceipt]) async throws(PortError)

    /// Makes messages invisible for `invisible` from now; `.zero` gives them back at once.
    ///
    /// Out-of-date receipts are ignored. So may be one whose message has become visible again, even if nobody has received it
    /// since: extend in time.
    ///
    /// - Throws: `PortError`: `invalidRequest` if `invisible` is over 12 hours.
    func changeVisibility(_ receipts: [MessageReceipt], invisible: Duration) async throws(PortError)

    /// How many messages there are, about.
    func depth() async throws(PortError) -> QueueDepth
}

/// A message to be sent.
public struct OutgoingMessage: Sendable, Hashable {
    public var body: [UInt8]
    /// How long it stays hidden before it is first received; up to 15 minutes.
    public var delay: Duration

    public init(body: [UInt8], delay: Duration = .zero) {
        self.body = body
        self.delay = delay
    }
}

/// What its receiver shows to delete a message or to keep it hidden.
public struct MessageReceipt: Sendable, Hashable {
    public let token: String

    public init(token: String) {
        self.token = token
    }
}

/// A message received, and how often so far.
public struct ReceivedMessage: Sendable {
    public let receipt: MessageReceipt
    public let body: [UInt8]
    /// 1 when it is received for the first time.
    public let receiveCount: Int
    /// When it was first sent; kept when it moves to a dead-letter queue.
    public let sentAt: Timestamp

    public init(receipt: MessageReceipt, body: [UInt8], receiveCount: Int, sentAt: Timestamp) {
        self.receipt = receipt
        self.body = body
        self.receiveCount = receiveCount
        self.sentAt = sentAt
    }
}

/// About how many messages a queue holds.
public struct QueueDepth: Sendable, Hashable {
    /// Ready to be received.
    public var visible: Int
    /// Received and not deleted.
    public var invisible: Int
    /// Sent with a delay that has not passed.
    public var delayed: Int

    public init(visible: Int = 0, invisible: Int = 0, delayed: Int = 0) {
        self.visible = visible
        self.invisible = invisible
        self.delayed = delayed
    }

    public var total: Int { visible + invisible + delayed }
}

/// How a queue is set up: what becomes of messages that nobody manages to handle.
public struct QueueSetup: Sendable, Hashable {
    public let name: String
    /// A message received this often without being deleted moves to `deadLetterQueue` instead of a further delivery.
    public let maxReceiveCount: Int?
    public let deadLetterQueue: String?
    /// After this long since it was sent, a message is gone.
    public let retention: Duration

    public init(
        name: String,
        maxReceiveCount: Int? = nil,
        deadLetterQueue: String? = nil,
        retention: Duration = .seconds(14 * 86_400)
    ) {
        self.name = name
        self.maxReceiveCount = maxReceiveCount
        self.deadLetterQueue = deadLetterQueue
        self.retention = retention
    }
}
