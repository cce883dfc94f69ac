// What can be chosen about a SQLite backend when it is opened.
public import SluiceCore

/// Where the file is, how durable a commit is, and what comes in from outside.
public struct SQLiteOptions: Sendable {
    /// What a write that returned survives.
    public enum Durability: String, Sendable, CaseIterable {
        /// A loss of power (`synchronous=FULL`).
        case full
        /// The end of the process, but the last commits may be lost with the power (`synchronous=NORMAL`).
        case normal
    }

    public var path: String
    public var durability: Durability
    public var clock: any Timekeeping
    public var random: any RandomSource
    public var queues: [QueueSetup]
    /// How long a call waits for another process's write to end before it throws `unavailable`.
    public var busyWait: Duration
    /// Opened only to look or to state a wish: such an owner is none of the workers that `liveCount` counts, which
    /// share rates among them.
    public var isOnlooker: Bool

    public init(
        path: String,
        durability: Durability = .full,
        clock: any Timekeeping = WallClock(),
        random: any RandomSource = SystemRandomSource(),
        queues: [QueueSetup] = Queues.setups,
        busyWait: Duration = .seconds(60),
        isOnlooker: Bool = false
    ) {
        self.path = path
        self.durability = durability
        self.clock = clock
        self.random = random
        self.queues = queues
        self.busyWait = busyWait
        self.isOnlooker = isOnlooker
    }
}
