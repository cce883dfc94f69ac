// The limits of the engine, each with its unit, range and reason.
public import SluiceCore

/// Every limit the engine keeps.
///
/// The defaults are the agreed ones; the assembly reads others from the configuration.
public struct EngineSettings: Sendable, Hashable {
    /// Records in a chunk, 1 to 100: the Ecommerce API takes 100 documents a call.
    public var chunkRecordsMax = 100
    /// Bytes in a chunk, unless one record alone is larger: 900 KiB leaves room below the queue's 1 MiB.
    public var chunkBytesMax = 900 * 1024
    /// A page ends at this many bytes; with eight slices the buffers stay far below the memory limit.
    public var pageBytesMax = 3 << 20
    /// A record over this is refused.
    public var recordBytesMax = 32 << 20
    /// Bytes of pages that stay in memory until they are delivered; room for what may be undelivered at a usual size.
    public var recentPayloadBytesMax = 16 << 20
    /// Extraction of a job waits while more records than this are undelivered.
    public var inFlightMax = 10_000
    /// Slices extracted at once in one process.
    public var slicesAtOnce = 8
    /// How long a slice's lease holds unless renewed; renewed at half.
    public var lease: Duration = .seconds(15)
    /// How long a received chunk stays hidden unless extended; extended at half.
    public var visibility: Duration = .seconds(60)
    /// Tries of one delivery before its records become dead letters.
    public var attemptsMax = 8
    public var backoff = Backoff()
    /// Deliveries at once in one process, over all destinations.
    public var deliveriesMax = 64
    /// How long a delivered chunk waits at most for others that are about to be delivered, to share their commit.
    public var commitDelay: Duration = .milliseconds(5)
    /// How often open receipts are asked about.
    public var confirmInterval: Duration = .seconds(1)
    /// Receipts asked about at once in one process; 1 asks one after the other.
    public var confirmationsMax = 16
    /// How long a sink may take to say how records ended.
    public var confirmDeadline: Duration = .seconds(24 * 3600)
    /// How long a receive waits for the first message.
    public var longPoll: Duration = .seconds(20)
    /// How old a job's settings may be when they are used; a live change is felt within this.
    public var settingsAge: Duration = .milliseconds(400)
    /// How often the job records' counters are brought up to date, and ends looked for.
    public var tick: Duration = .seconds(1)
    /// How long nothing may be to be seen until a worker counts as idle, where indexes lag and queues tell about how many
    /// messages they hold; where one transaction spans both, a single look tells.
    public var idleSettle: Duration = .seconds(10)
    /// A finished slice whose records have not moved for this long has its chunks sent again.
    public var repairAfter: Duration = .seconds(3600)
    /// The least that `repairAfter` may be, in whatever process.
    static let repairAfterMin: Duration = .seconds(60)
    /// How long a stop may take until unfinished deliveries are given back.
    public var grace: Duration = .seconds(10)
    /// How long after its end a job's ledger is kept: more than queue and dead-letter retention together.
    public var ledgerRetention: Duration = .seconds(30 * 86_400)

    public init() {}
}

extension EngineSettings {
    /// How long a new receipt is left alone: many sinks are done by then, and the next look at receipts finds it due.
    var firstRest: Duration { min(confirmInterval, .seconds(2)) }

    /// How long a receipt is left alone that was asked about.
    ///
    /// Looks come about an interval apart. A receipt that rested as long as that would miss every other look by a moment.
    var receiptRest: Duration {
        confirmInterval > .seconds(10) ? confirmInterval - .seconds(5) : confirmInterval
    }
}

/// Exponential backoff with full jitter.
public struct Backoff: Sendable, Hashable {
    public var initial: Duration = .milliseconds(500)
    public var factor = 2.0
    public var maximum: Duration = .seconds(60)

    public init(initial: Duration = .milliseconds(500), factor: Double = 2, maximum: Duration = .seconds(60)) {
        self.initial = initial
        self.factor = factor
        self.maximum = maximum
    }

    /// A random wait between nothing and the bound that belongs to the attempt, which counts from 1.
    public func delay(afterAttempt attempt: Int, random: any RandomSource) -> Duration {
        bound(afterAttempt: attempt) * random.fraction()
    }

    /// The bound: `initial · factor^(attempt - 1)`, at most `maximum`.
    public func bound(afterAttempt attempt: Int) -> Duration {
        var bound = initial
        for _ in 1..<max(1, attempt) where bound < maximum { bound = bound * factor }
        return min(bound, maximum)
    }
}
