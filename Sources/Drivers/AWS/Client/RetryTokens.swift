// When a call is tried again: AWS's standard mode.
internal import SluiceCore
internal import Synchronization

/// How often and how patiently calls are tried again.
package struct RetryPolicy: Sendable, Equatable {
    /// The first try included.
    package var triesMax = 3
    /// The longest wait before the second try; it doubles with each.
    package var base: Duration = .seconds(1)
    package var longest: Duration = .seconds(20)

    package init(triesMax: Int = 3, base: Duration = .seconds(1), longest: Duration = .seconds(20)) {
        precondition(triesMax >= 1, "a call is tried once at least")
        self.triesMax = triesMax
        self.base = base
        self.longest = longest
    }

    /// Any share of the longest wait, so that callers that failed together don't come back together.
    ///
    /// - Parameters:
    ///   - tries: how many there were.
    ///   - asked: what the service asks for; it is waited at least, if it is not longer than `longest`.
    ///   - random: the share.
    /// - Returns: up to `longest`.
    func wait(after tries: Int, asked: Duration?, random: any RandomSource) -> Duration {
        let most = min(longest, base * (1 << min(tries - 1, 20)))
        return max(most * random.fraction(), min(asked ?? .zero, longest))
    }
}

/// What all calls of one client may spend on trying again, so that an outage is not met with a flood.
final class RetryTokens: Sendable {
    static let capacity = 500
    static let cost = 5
    static let costOfTimeOut = 10
    static let reward = 1

    private let left = Mutex(RetryTokens.capacity)

    var count: Int { left.withLock { $0 } }

    /// Takes what one more try costs, if there is as much.
    func spend(for error: AWSError) -> Int? {
        let cost = error.kind == .timedOut || error.kind == .unreachable ? Self.costOfTimeOut : Self.cost
        return left.withLock { left in
            guard left >= cost else { return nil }
            left -= cost
            return cost
        }
    }

    /// After a success: gives back what its last retry cost, or a little if it needed none.
    func giveBack(_ cost: Int?) {
        left.withLock { $0 = min(Self.capacity, $0 + (cost ?? Self.reward)) }
    }
}
