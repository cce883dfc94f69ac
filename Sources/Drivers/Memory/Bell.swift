// Waiting without polling: one wait ends when it is told to, or when its time has come.
import SluiceCore
import Synchronization

/// A bell for one waiting task; once rung, it stays rung.
final class Bell: Sendable {
    private enum State {
        case silent
        case awaited(CheckedContinuation<Void, Never>)
        case rung
    }

    private let state = Mutex(State.silent)

    var hasRung: Bool {
        state.withLock { state in
            if case .rung = state { true } else { false }
        }
    }

    func ring() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .rung }
            guard case .awaited(let waiting) = state else { return nil }
            return waiting
        }
        waiting?.resume()
    }

    /// Returns when the bell has rung, or at the deadline, or when the task is cancelled; afterwards it has rung.
    func wait(until deadline: Timestamp, on clock: any Timekeeping) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.rung() }
            // A sleep ends early only when it is cancelled, and then the wait is over too.
            group.addTask { try? await clock.sleep(until: deadline, tolerance: nil) }
            await group.next()
            group.cancelAll()
        }
    }

    private func rung() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting in
                let isOver = state.withLock { state in
                    if case .rung = state { return true }
                    state = .awaited(waiting)
                    return false
                }
                if isOver { waiting.resume() }
            }
        } onCancel: {
            ring()
        }
    }
}

/// The bells of those who wait for one thing.
struct Bells {
    private var bells: [Bell] = []

    /// A bell that the next change rings.
    mutating func hang() -> Bell {
        // Bells whose wait ended otherwise have been rung as well.
        bells.removeAll(where: \.hasRung)
        let bell = Bell()
        bells.append(bell)
        return bell
    }

    /// Tells everybody; they look again, and who finds nothing waits again.
    mutating func ringAll() {
        for bell in bells { bell.ring() }
        bells.removeAll()
    }
}
