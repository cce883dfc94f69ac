// The counters of a slice or a job, and the equation they obey in every version.

/// What became of the records extracted so far.
public struct BalanceSheet: Sendable, Hashable, Codable {
    public var extracted = 0
    public var skipped = 0
    public var inFlight = 0
    public var awaiting = 0
    public var refused = 0
    public var failed = 0
    public var completed = 0
    /// Beside the equation: records of orphan chunks.
    public var redelivered = 0

    public init() {}

    public var deadLettered: Int { refused &+ failed }

    /// Ever accepted by the sink.
    public var replayed: Int { awaiting &+ failed &+ completed }

    /// Nothing is on its way.
    public var isSettled: Bool { inFlight == 0 && awaiting == 0 }

    /// `extracted = skipped + in flight + awaiting + dead-lettered + completed`, and nothing below zero.
    public var isBalanced: Bool {
        guard min(extracted, redelivered) >= 0 else { return false }
        var rest = extracted
        for part in [skipped, inFlight, awaiting, refused, failed, completed] {
            // Taken off one by one, nothing overflows, whatever somebody has written into the table.
            guard 0...rest ~= part else { return false }
            rest -= part
        }
        return rest == 0
    }

    /// What is wrong with a sheet that does not balance; nil for one that does.
    package var imbalance: String? {
        guard !isBalanced else { return nil }
        return "\(extracted) extracted, but \(skipped) skipped, \(inFlight) in flight, \(awaiting) awaiting, "
            + "\(deadLettered) dead letters and \(completed) completed"
    }

    /// Wraps around beyond 64 bits, which only spoilt sheets reach: those are to stop their job and not the process.
    public static func += (left: inout BalanceSheet, right: BalanceSheet) {
        left.extracted &+= right.extracted
        left.skipped &+= right.skipped
        left.inFlight &+= right.inFlight
        left.awaiting &+= right.awaiting
        left.refused &+= right.refused
        left.failed &+= right.failed
        left.completed &+= right.completed
        left.redelivered &+= right.redelivered
    }
}
