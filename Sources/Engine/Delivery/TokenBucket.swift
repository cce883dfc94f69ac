// A rate limit as a value: how long to wait before so many records may go.
import SluiceCore

/// Records a second, with a burst of one second's worth.
///
/// A delivery larger than the burst goes when the bucket is full and leaves a debt, so that the rate holds over time.
struct TokenBucket: Sendable, Equatable {
    private(set) var rate: Double
    private var tokens: Double
    private var filledAt: Timestamp

    /// Nobody asks for less, but what is stored may be anything, and a share of a rate is less than the rate.
    private static let rateMin = 1e-9
    /// Nobody waits longer without asking again.
    private static let waitMax = 86_400.0

    init(rate: Double, now: Timestamp) {
        let rate = max(Self.rateMin, rate)
        self.rate = rate
        tokens = rate
        filledAt = now
    }

    private var burst: Double { max(1, rate) }

    private mutating func fill(now: Timestamp) {
        let elapsed = filledAt.duration(to: now).inSeconds
        // Wall time can step back; a bucket then waits as if no time had passed.
        if elapsed > 0 { tokens = min(burst, tokens + elapsed * rate) }
        filledAt = now
    }

    /// Another rate from now on; what was saved or owed is kept in proportion to time.
    mutating func change(rate new: Double, now: Timestamp) {
        let new = max(Self.rateMin, new)
        guard new != rate else { return }
        fill(now: now)
        if tokens < 0 { tokens = tokens / rate * new }
        rate = new
        tokens = min(tokens, burst)
    }

    /// How long records would wait behind others that wait already.
    mutating func wait(for count: Int, behind others: Int, now: Timestamp) -> Duration {
        fill(now: now)
        let missing = min(Double(count), burst) + Double(others) - tokens
        return missing <= 0 ? .zero : time(for: missing)
    }

    /// Takes the tokens and answers nil, or says how long to wait before asking again.
    mutating func take(_ count: Int, now: Timestamp) -> Duration? {
        fill(now: now)
        let needed = min(Double(count), burst)
        guard tokens < needed else {
            tokens -= Double(count)
            return nil
        }
        return max(.milliseconds(1), time(for: needed - tokens))
    }

    private func time(for missing: Double) -> Duration {
        .milliseconds(Int64((min(Self.waitMax, missing / rate) * 1000).rounded(.up)))
    }
}
