// What the core asks of the outside, one protocol for each promise, and a backend that has all of them in one hand.

/// The ports of one backend, opened together.
public struct Backend: Sendable {
    public let tables: any TableStore
    public let queues: Queues
    public let objects: any ObjectStore
    public let feed: any ChangeFeed
    public let owners: any OwnerRegistry
    /// Present if tables and queues can share a transaction.
    public let atomic: (any AtomicBackend)?

    public init(
        tables: any TableStore,
        queues: Queues,
        objects: any ObjectStore,
        feed: any ChangeFeed,
        owners: any OwnerRegistry,
        atomic: (any AtomicBackend)?
    ) {
        self.tables = tables
        self.queues = queues
        self.objects = objects
        self.feed = feed
        self.owners = owners
        self.atomic = atomic
    }

    /// The same but for what is given.
    ///
    /// - Parameters:
    ///   - tables: instead of its own.
    ///   - replay: instead of its own queue.
    ///   - progress: instead of its own queue.
    ///   - isAtomic: whether what tables and queues can do in one transaction is still done in one.
    /// - Returns: a backend whose other ports are shared.
    public func replacing(
        tables: (any TableStore)? = nil,
        replay: (any MessageQueue)? = nil,
        progress: (any MessageQueue)? = nil,
        isAtomic: Bool = true
    ) -> Backend {
        Backend(
            tables: tables ?? self.tables,
            queues: Queues(
                replay: replay ?? queues.replay,
                replayDeadLetters: queues.replayDeadLetters,
                progress: progress ?? queues.progress,
                progressDeadLetters: queues.progressDeadLetters
            ),
            objects: objects,
            feed: feed,
            owners: owners,
            atomic: isAtomic ? atomic : nil
        )
    }
}

/// The queues of the house.
public struct Queues: Sendable {
    /// Chunks on their way to a sink; the source system's Replay Queue.
    public let replay: any MessageQueue
    public let replayDeadLetters: any MessageQueue
    /// Stages that records have reached; the source system's Progress Queue.
    public let progress: any MessageQueue
    public let progressDeadLetters: any MessageQueue

    public init(
        replay: any MessageQueue,
        replayDeadLetters: any MessageQueue,
        progress: any MessageQueue,
        progressDeadLetters: any MessageQueue
    ) {
        self.replay = replay
        self.replayDeadLetters = replayDeadLetters
        self.progress = progress
        self.progressDeadLetters = progressDeadLetters
    }

    public var all: [any MessageQueue] { [replay, replayDeadLetters, progress, progressDeadLetters] }

    /// How the queues are set up in every backend: eight tries, then the dead-letter queue, kept for 14 days.
    public static let setups = [
        QueueSetup(name: "replay", maxReceiveCount: 8, deadLetterQueue: "replay-dead-letters"),
        QueueSetup(name: "replay-dead-letters"),
        QueueSetup(name: "progress", maxReceiveCount: 8, deadLetterQueue: "progress-dead-letters"),
        QueueSetup(name: "progress-dead-letters"),
    ]
}
