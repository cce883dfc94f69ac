// A clock that stands still until somebody moves it.
public import SluiceCore
import Synchronization

/// Wall time moved by hand; whoever sleeps on it wakes when it is moved past their deadline.
///
/// Safe to share between tasks. A sleep whose deadline has come returns at once, without suspending.
public final class ManualClock: Timekeeping {
    private struct Sleeper {
        let id: Int
        let deadline: Timestamp
        let wake: CheckedContinuation<Void, any Error>
    }

    private struct Watcher {
        let id: Int
        let count: Int
        let wake: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var now: Timestamp
        var nextID = 0
        var sleepers: [Sleeper] = []
        var watchers: [Watcher] = []

        mutating func makeID() -> Int {
            nextID += 1
            return nextID
        }

        mutating func takeSleepers(where isMeant: (Sleeper) -> Bool) -> [Sleeper] {
            let taken = sleepers.filter(isMeant)
            sleepers.removeAll(where: isMeant)
            return taken.sorted { ($0.deadline, $0.id) < ($1.deadline, $1.id) }
        }

        mutating func takeWatchers(where isMeant: (Watcher) -> Bool) -> [Watcher] {
            let taken = watchers.filter(isMeant)
            watchers.removeAll(where: isMeant)
            return taken
        }
    }

    private let state: Mutex<State>

    /// A clock that begins at a given moment, by default one in the year 2026.
    public init(now: Timestamp = Timestamp(milliseconds: 1_790_000_000_000)) {
        state = Mutex(State(now: now))
    }

    public var now: Timestamp { state.withLock { $0.now } }

    public var minimumResolution: Duration { .milliseconds(1) }

    /// How many tasks sleep on this clock at the moment.
    public var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// When the first sleeper is to wake, or nil if nobody sleeps.
    public var nextDeadline: Timestamp? { state.withLock { $0.sleepers.map(\.deadline).min() } }

    /// Moves the time forward and wakes whose deadline has come, the earliest first.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "time does not go back")
        let due = state.withLock { state in
            let now = state.now.advanced(by: duration)
            state.now = now
            return state.takeSleepers { $0.deadline <= now }
        }
        for sleeper in due { sleeper.wake.resume() }
    }

    /// Moves the time to the first sleeper's deadline and wakes whom it concerns; false if nobody sleeps.
    @discardableResult
    public func advanceToNextDeadline() -> Bool {
        let due = state.withLock { state -> [Sleeper] in
            guard let deadline = state.sleepers.map(\.deadline).min() else { return [] }
            state.now = max(state.now, deadline)
            return state.takeSleepers { $0.deadline <= deadline }
        }
        for sleeper in due { sleeper.wake.resume() }
        return !due.isEmpty
    }

    /// Returns once at least `count` tasks sleep on this clock; waits without polling.
    ///
    /// - Throws: `CancellationError` when the caller is cancelled.
    public func sleepers(atLeast count: Int) async throws {
        let id = state.withLock { $0.makeID() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (wake: CheckedContinuation<Void, any Error>) in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.sleepers.count >= count { return .success(()) }
                    state.watchers.append(Watcher(id: id, count: count, wake: wake))
                    return nil
                }
                if let outcome { wake.resume(with: outcome) }
            }
        } onCancel: {
            let cancelled = state.withLock { $0.takeWatchers { $0.id == id } }
            for watcher in cancelled { watcher.wake.resume(throwing: CancellationError()) }
        }
    }

    public func sleep(until deadline: Timestamp, tolerance: Duration? = nil) async throws {
        try Task.checkCancellation()
        let id = state.withLock { $0.now < deadline ? $0.makeID() : nil }
        guard let id else { return }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (wake: CheckedContinuation<Void, any Error>) in
                register(Sleeper(id: id, deadline: deadline, wake: wake))
            }
        } onCancel: {
            let cancelled = state.withLock { $0.takeSleepers { $0.id == id } }
            for sleeper in cancelled { sleeper.wake.resume(throwing: CancellationError()) }
        }
    }

    /// Puts a sleeper to sleep, unless it is cancelled or due already, and tells those who count sleepers.
    private func register(_ sleeper: Sleeper) {
        let (outcome, watchers) = state.withLock { state -> (Result<Void, any Error>?, [Watcher]) in
            // The cancellation handler may have run before this; then nobody else would wake the sleeper.
            if Task.isCancelled { return (.failure(CancellationError()), []) }
            if sleeper.deadline <= state.now { return (.success(()), []) }
            state.sleepers.append(sleeper)
            let count = state.sleepers.count
            return (nil, state.takeWatchers { $0.count <= count })
        }
        if let outcome { sleeper.wake.resume(with: outcome) }
        for watcher in watchers { watcher.wake.resume() }
    }
}
