// Lets those who are about to write wait a moment for each other, so that their writes share one commit.
import SluiceCore
import Synchronization

/// A short wait at which tasks of the same kind gather.
///
/// Nobody waits longer than a given time, nor for anybody who is not underway. It promises nothing: a wait that is cut
/// short only makes a smaller group.
final class Rendezvous: Sendable {
    private let clock: any Timekeeping
    private let state = Mutex(State())

    private struct State {
        /// Tasks that may still come, those who wait included.
        var underway = 0
        /// The first of a group keeps the time for all.
        var timekeeper: Bell?
        var waiting: [CheckedContinuation<Void, Never>] = []

        /// Whether there is a group, and nobody left for it to wait for.
        var isComplete: Bool {
            timekeeper != nil && waiting.count + 1 >= min(underway, Rendezvous.groupMax)
        }

        mutating func disperse() -> Group {
            defer { (timekeeper, waiting) = (nil, []) }
            return Group(timekeeper: timekeeper, waiting: waiting)
        }
    }

    private struct Group {
        var timekeeper: Bell?
        var waiting: [CheckedContinuation<Void, Never>] = []

        func resume() {
            timekeeper?.ring()
            for continuation in waiting { continuation.resume() }
        }
    }

    private enum Role { case isAlone, leads, follows }

    /// A group of this size leaves at once.
    private static let groupMax = 64

    init(clock: any Timekeeping) {
        self.clock = clock
    }

    /// Does something that may come to the meeting.
    func attend<Failure: Error>(_ body: () async throws(Failure) -> Void) async throws(Failure) {
        state.withLock { $0.underway += 1 }
        defer {
            state.withLock { state in
                state.underway -= 1
                return state.isComplete ? state.disperse() : Group()
            }.resume()
        }
        try await body()
    }

    /// Waits until everybody underway is here, the group is large enough, or `limit` has passed since its first came.
    func meet(atMost limit: Duration) async {
        let bell = Bell()
        let role = state.withLock { state -> Role in
            guard state.timekeeper == nil else { return .follows }
            guard state.underway > 1 else { return .isAlone }
            state.timekeeper = bell
            return .leads
        }
        switch role {
        case .isAlone: return
        case .leads:
            await bell.wait(atMost: limit, clock: clock)
            state.withLock { $0.timekeeper === bell ? $0.disperse() : Group() }.resume()
        case .follows:
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    // The group may have left since; nobody keeps the time for who comes too late.
                    guard state.timekeeper != nil else { return Group(waiting: [continuation]) }
                    state.waiting.append(continuation)
                    return state.isComplete ? state.disperse() : Group()
                }.resume()
            }
        }
    }
}
