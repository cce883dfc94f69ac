// The wish to stop at the next checkpoint, heard by everything that runs.
import SluiceCore
import Synchronization

/// Set once; what is under way ends at its next checkpoint, and what waits is woken.
public final class StopSignal: Sendable {
    private let state = Mutex(State())

    private struct State {
        var isStopping = false
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    public init() {}

    public var isStopping: Bool { state.withLock(\.isStopping) }

    public func stop() {
        let waiters = state.withLock { state in
            state.isStopping = true
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when a stop is asked for, or the task is cancelled.
    public func wait() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    if state.isStopping || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// Runs something that is cancelled as soon as a stop is asked for; nil if it brought nothing then.
    ///
    /// What it brings although it was cancelled is not lost: messages that were received stay hidden from everybody else.
    func race<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value? {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await self.wait()
                return nil
            }
            defer { group.cancelAll() }
            do {
                if let value = try await group.next() ?? nil { return value }
                group.cancelAll()
                return try await group.next() ?? nil
            } catch {
                if isStopping || Task.isCancelled { return nil }
                throw error
            }
        }
    }
}
