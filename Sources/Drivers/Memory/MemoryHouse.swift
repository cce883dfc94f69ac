// What the parts of one memory backend share: the state, its lock and the clock.
import SluiceCore
import Synchronization

/// The state of one backend behind its lock.
final class MemoryHouse: Sendable {
    let clock: any Timekeeping
    let state = Mutex(MemoryState())

    init(clock: any Timekeeping) {
        self.clock = clock
    }

    /// Asks until there is an answer, or the wait is over; between two questions it waits for its bell.
    ///
    /// A question is answered with an answer, or with a bell and when to ask again at the latest.
    func ask<Answer: Sendable>(
        for wait: Duration,
        _ question: (inout MemoryState, Timestamp, _ isLast: Bool) throws(PortError) -> Reply<Answer>
    ) async throws(PortError) -> Answer? {
        let end = clock.now.advanced(by: wait)
        while true {
            let now = clock.now
            let isLast = now >= end || Task.isCancelled
            let reply = try state.withLock { state throws(PortError) in try question(&state, now, isLast) }
            switch reply {
            case .answer(let answer): return answer
            case .nothing: return nil
            case .wait(let bell, let due): await bell.wait(until: min(end, due ?? end), on: clock)
            }
        }
    }

    enum Reply<Answer: Sendable>: Sendable {
        case answer(Answer)
        case nothing
        case wait(Bell, due: Timestamp?)
    }
}
