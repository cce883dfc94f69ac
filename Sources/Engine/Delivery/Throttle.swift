// Lets deliveries to one destination through: so many at once, so many records a second.
import SluiceCore
import Synchronization

/// The rate and concurrency of one job's destination in this process.
///
/// A change is felt within a fraction of a second.
final class Throttle: Sendable {
    private let context: EngineContext
    private let state: Mutex<State>
    /// Who waits for a place.
    private let places = Waiters()

    private struct State {
        var limit: AdaptiveLimit
        var bucket: TokenBucket?
        var heldUntil: Timestamp?
        var succeededAt: Timestamp?
        var tookAt: Timestamp?
        /// The records of chunks that wait for the rate to let them through.
        var queuedRecords = 0
    }

    /// Who has no longer to wait than this stays, however many do.
    private static let waitMax: Duration = .seconds(2)
    /// However long the wait, the settings are looked at again this often.
    private static let recheck: Duration = .milliseconds(200)

    /// The process's, which all its jobs share.
    private let longWaits: LongWaits

    init(_ context: EngineContext, _ longWaits: LongWaits = LongWaits()) {
        self.context = context
        self.longWaits = longWaits
        state = Mutex(State(limit: AdaptiveLimit(maximum: context.settings.deliveriesMax)))
    }

    /// Applies a job's settings; `share` is this process's part of the rate.
    func apply(rate: Double?, concurrency: Int?, share: Double) {
        let now = context.now
        let hasGrown = state.withLock { state in
            let before = state.limit.limit
            state.limit.fixed = concurrency.map { max(1, $0) }
            if let rate {
                let own = rate * share
                if state.bucket == nil { state.bucket = TokenBucket(rate: own, now: now) }
                state.bucket?.change(rate: own, now: now)
            } else {
                state.bucket = nil
            }
            return state.limit.limit > before
        }
        if hasGrown { places.wakeAll() }
    }

    /// Lets a chunk wait for the rate, or says how long it would have to: then its place is better given to another job's.
    ///
    /// - Parameters:
    ///   - records: how many it brings.
    ///   - chunksMax: of all jobs of the process, that may wait long.
    /// - Returns: whether it may wait; then it has to `leave`, once.
    func join(records: Int, chunksMax: Int) -> Entry {
        let now = context.now
        return state.withLock { state in
            let wait = state.bucket?.wait(for: records, behind: state.queuedRecords, now: now) ?? .zero
            let isLong = wait > Self.waitMax
            guard !isLong || longWaits.begin(atMost: chunksMax) else { return .refused(wait) }
            state.queuedRecords += records
            return .joined(isLong: isLong)
        }
    }

    enum Entry {
        case joined(isLong: Bool)
        case refused(Duration)
    }

    func leave(records: Int, wasLong: Bool) {
        state.withLock { $0.queuedRecords -= records }
        if wasLong { longWaits.end() }
    }

    /// How long to wait before the records may go, or the number of the place that was taken for them.
    ///
    /// A question about receipts moves no record: it takes a place, and none of the rate.
    func admit(records: Int?) -> Admission {
        let now = context.now
        return state.withLock { state in
            if let until = state.heldUntil {
                if now < until { return .wait(min(now.duration(to: until), Self.recheck)) }
                state.heldUntil = nil
            }
            guard let number = state.limit.begin() else { return .full }
            if let records, let wait = state.bucket?.take(records, now: now) {
                state.limit.end(number, .undecided)
                return .wait(min(wait, Self.recheck))
            }
            return .go(number)
        }
    }

    enum Admission: Sendable, Equatable {
        case go(Int)
        case wait(Duration)
        /// Every place is taken; wait for one to be given back.
        case full
    }

    /// Takes a place, or waits a moment for one: then the answer is nil, and the caller looks at the job before it asks again.
    ///
    /// - Throws: `PortError.cancelled` if the task is cancelled while it waits.
    func place(records: Int?) async throws(PortError) -> Int? {
        switch admit(records: records) {
        case .go(let number): return number
        case .wait(let duration): try await context.pause(duration)
        case .full:
            await waitForPlace()
            guard !Task.isCancelled else { throw PortError(.cancelled, "the wait for a place was cancelled") }
        }
        return nil
    }

    /// Gives a place back; `isDelivery` says whether records were on their way in it, or only a question.
    func finish(_ number: Int, _ outcome: AdaptiveLimit.Outcome, hold: Duration? = nil, isDelivery: Bool = true) {
        let now = context.now
        state.withLock { state in
            state.limit.end(number, outcome)
            if outcome == .succeeded {
                state.succeededAt = now
                if isDelivery { state.tookAt = now }
            }
            // While others go through, a refusal is one too many and not a closed door: the limit has learnt of it.
            if let hold, state.succeededAt.map({ $0.duration(to: now) > hold }) ?? true {
                state.heldUntil = max(state.heldUntil ?? now, now.advanced(by: hold))
            }
        }
        places.wakeAll()
    }

    /// Whether any delivery of the job has been taken since then.
    func hasTaken(since time: Timestamp) -> Bool {
        state.withLock { state in state.tookAt.map { $0 >= time } ?? false }
    }

    /// Waits until a place may be free, or the task is cancelled.
    private func waitForPlace() async {
        await places.wait { self.state.withLock { $0.limit.underway < $0.limit.limit } }
    }

    var limit: Int { state.withLock(\.limit.limit) }
    var waiters: Int { places.count }
}

/// How many chunks of a process wait long for their jobs' rates, whichever jobs these are.
final class LongWaits: Sendable {
    private let count = Mutex(0)

    func begin(atMost limit: Int) -> Bool {
        count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func end() {
        count.withLock { $0 -= 1 }
    }
}
