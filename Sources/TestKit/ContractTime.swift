// How a contract reads and moves the time that the driver under test lives in.
public import SluiceCore
import Synchronization

/// The time of a driver under test: moved by hand where the clock is ours, slept through where it is the peer's.
public struct ContractTime: Sendable {
    private let read: @Sendable () -> Timestamp
    private let move: @Sendable (Duration) async throws -> Void
    private let watch: @Sendable () async throws -> Void

    /// Takes the three things that a contract does with time.
    ///
    /// - Parameters:
    ///   - now: reads it.
    ///   - advance: lets it pass.
    ///   - someoneWaits: returns when a call seems to wait for time to pass, and throws when cancelled. It is a hint:
    ///     cases are right, though weaker, if it returns too early.
    public init(
        now: @escaping @Sendable () -> Timestamp,
        advance: @escaping @Sendable (Duration) async throws -> Void,
        someoneWaits: @escaping @Sendable () async throws -> Void
    ) {
        read = now
        move = advance
        watch = someoneWaits
    }

    /// Time on a clock that is moved by hand.
    public static func manual(_ clock: ManualClock) -> ContractTime {
        ContractTime(
            now: { clock.now },
            advance: { clock.advance(by: $0) },
            someoneWaits: { try await clock.sleepers(atLeast: 1) }
        )
    }

    /// Real time, for peers that have a clock of their own; `advance` takes as long as it says.
    public static var wall: ContractTime {
        ContractTime(
            now: { WallClock().now },
            advance: { try await WallClock().sleep(for: $0) },
            someoneWaits: { try await WallClock().sleep(for: .milliseconds(100)) }
        )
    }

    public var now: Timestamp { read() }

    public func advance(by duration: Duration) async throws {
        try await move(duration)
    }

    /// Starts a call in a task of its own and returns once it waits, or has ended.
    public func start<Value: Sendable>(
        _ call: @escaping @Sendable () async throws -> Value
    ) async throws -> Task<Value, any Error> {
        let task = Task { try await call() }
        try await untilWaitingOrEnded(task)
        return task
    }

    /// Lets time pass in steps until the task has ended.
    ///
    /// - Throws: the task's error, or `ContractFailure` if it has not ended when `limit` has passed.
    public func drive<Value: Sendable>(
        _ task: Task<Value, any Error>,
        step: Duration = .seconds(1),
        limit: Duration,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Value {
        let end = now.advanced(by: limit)
        while try await !untilWaitingOrEnded(task) {
            guard now < end else {
                task.cancel()
                throw ContractFailure("the call still waits after \(limit)", file: file, line: line)
            }
            try await advance(by: step)
        }
        return try await task.value
    }

    /// The value of a call that has been woken: it ends although no time passes that matters.
    ///
    /// - Throws: the call's error, or `ContractFailure` if it still waits after a minute, so that no case hangs.
    public func soon<Value: Sendable>(
        _ task: Task<Value, any Error>,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> Value {
        try await drive(task, step: .milliseconds(10), limit: .seconds(60), file: file, line: line)
    }

    /// Repeats a check that may fail while an eventually consistent answer settles.
    public func eventually<Value>(_ check: () async throws -> Value) async throws -> Value {
        for _ in 1..<50 {
            do {
                return try await check()
            } catch is ContractFailure {
                try await advance(by: .milliseconds(100))
            }
        }
        return try await check()
    }

    /// Whether the task has ended; waits until it has, or until somebody waits for time.
    @discardableResult
    private func untilWaitingOrEnded<Value: Sendable>(_ task: Task<Value, any Error>) async throws -> Bool {
        // Gives the task a chance to run first where a hint comes too early.
        await Task.yield()
        let first = First()
        Task {
            _ = await task.result
            first.decide(true)
        }
        let watcher = Task {
            do {
                try await watch()
                first.decide(false)
            } catch {
                // Cancelled below, once the task itself has decided.
                first.decide(true)
            }
        }
        defer { watcher.cancel() }
        return await first.value()
    }
}

/// The first of several answers; later ones are ignored.
private final class First: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Bool, Never>)
        case decided(Bool)
    }

    private let state = Mutex(State.open)

    func decide(_ answer: Bool) {
        let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            defer { if case .decided = state {} else { state = .decided(answer) } }
            guard case .awaited(let waiting) = state else { return nil }
            return waiting
        }
        waiting?.resume(returning: answer)
    }

    func value() async -> Bool {
        await withCheckedContinuation { waiting in
            let answer = state.withLock { state -> Bool? in
                if case .decided(let answer) = state { return answer }
                state = .awaited(waiting)
                return nil
            }
            if let answer { waiting.resume(returning: answer) }
        }
    }
}
