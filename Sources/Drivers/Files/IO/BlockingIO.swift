// A few threads of our own for calls that block, so that Swift's cooperative threads never wait for a disk.
import DequeModule
import Dispatch
import Synchronization

/// Runs blocking work on at most `threads` threads, first come first served; idle threads are given back.
///
/// Work that is submitted is run to its end, whether the caller is still interested or not.
package final class BlockingIO: Sendable {
    private struct State {
        var waiting: Deque<@Sendable () -> Void> = []
        var idleLanes: [Int]
    }

    /// For everything that has no reason to keep to itself.
    package static let shared = BlockingIO(threads: 8)

    // A serial queue has a thread while it has work, outside the pool that Swift's tasks run on.
    private let lanes: [DispatchQueue]
    private let state: Mutex<State>

    /// Threads start with the first work.
    package init(threads: Int) {
        precondition(threads > 0, "blocking work needs a thread")
        lanes = (0..<threads).map { DispatchQueue(label: "sluice.files.io.\($0)") }
        state = Mutex(State(idleLanes: Array(0..<threads)))
    }

    /// Runs the work on one of the threads and gives back what it gives, or throws what it throws.
    package func run<Value: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            submit { continuation.resume(returning: Result(catching: work)) }
        }
        return try result.get()
    }

    /// Has the work run on one of the threads, and does not wait for it.
    func submit(_ work: @escaping @Sendable () -> Void) {
        let lane = state.withLock { state in
            state.waiting.append(work)
            return state.idleLanes.popLast()
        }
        if let lane {
            lanes[lane].async { self.work(in: lane) }
        }
    }

    private func work(in lane: Int) {
        while let work = take(for: lane) { work() }
    }

    private func take(for lane: Int) -> (@Sendable () -> Void)? {
        state.withLock { state in
            if let work = state.waiting.popFirst() { return work }
            state.idleLanes.append(lane)
            return nil
        }
    }
}
