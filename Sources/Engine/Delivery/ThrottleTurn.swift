// A chunk's wait for its job's rate, which ends once.
import Synchronization

/// From when a chunk was let in until its first request has a place, or none is made.
final class ThrottleTurn: Sendable {
    private let throttle: Throttle
    private let records: Int
    private let isWaiting = Mutex(false)

    init(_ throttle: Throttle, records: Int) {
        self.throttle = throttle
        self.records = records
    }

    /// Begins the wait; if it is too long a time, that time.
    func begin(chunksMax: Int) -> Duration? {
        let wait = throttle.join(records: records, chunksMax: chunksMax)
        if wait == nil { isWaiting.withLock { $0 = true } }
        return wait
    }

    func end() {
        let wasWaiting = isWaiting.withLock { isWaiting in
            defer { isWaiting = false }
            return isWaiting
        }
        if wasWaiting { throttle.leave(records: records) }
    }
}
