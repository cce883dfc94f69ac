// Wakes one waiting loop: rings before and during the wait are heard once.
import SluiceCore
import Synchronization

/// A coalescing wake-up between the loops of one process.
final class Bell: Sendable {
    private let state = Mutex(State())

    private struct State {
        var hasRung = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    func ring() {
        let waiter = state.withLock { state in
            guard let waiter = state.waiter else {
                state.hasRung = true
                return nil as CheckedContinuation<Void, Never>?
            }
            state.waiter = nil
            return waiter
        }
        waiter?.resume()
    }

    /// Returns at the next ring, at once if one was missed, after `timeout`, at a stop, or when the task is cancelled.
    func wait(atMost timeout: Duration, clock: any Timekeeping, stop: StopSignal? = nil) async {
        await withTaskGroup { group in
            group.addTask { await self.waitForRing() }
            if let stop { group.addTask { await stop.wait() } }
            group.addTask {
                // Cancelled when the bell rings first; either way the wait is over.
                do { try await clock.sleep(for: timeout) } catch { return }
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func waitForRing() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    if state.hasRung || Task.isCancelled {
                        if !Task.isCancelled { state.hasRung = false }
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }?.resume()
        }
    }
}
