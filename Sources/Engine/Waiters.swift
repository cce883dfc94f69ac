// Tasks that wait for each other without a clock.
import Synchronization

/// Tasks that wait, each until all are woken or it is cancelled.
final class Waiters: Sendable {
    private struct State {
        var lastID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    var count: Int { state.withLock(\.waiting.count) }

    /// - Parameter isOver: whether there is nothing to wait for any more; whoever makes it so has to wake all afterwards.
    func wait(unless isOver: @Sendable () -> Bool) async {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    // Looked at under the lock: who cancels or wakes afterwards finds the continuation.
                    if isOver() || Task.isCancelled { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }

    /// Wakes them in the order in which they came.
    func wakeAll() {
        let woken = state.withLock { state in
            defer { state.waiting = [:] }
            return state.waiting.sorted { $0.key < $1.key }
        }
        for (_, continuation) in woken { continuation.resume() }
    }
}
