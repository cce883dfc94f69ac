// A chunk's wait for its job's rate, which ends once.
import Synchronization

/// From when a chunk was let in until its first request has a place, or none is made.
final class ThrottleTurn: Sendable {
    private let throttle: Throttle
    private let records: Int
    /// Nil while it does not wait.
    private let isLong = Mutex<Bool?>(nil)

    init(_ throttle: Throttle, records: Int) {
        self.throttle = throttle
        self.records = records
    }

    /// Begins the wait; if it is too long a time, that time.
    func begin(chunksMax: Int) -> Duration? {
        switch throttle.join(records: records, chunksMax: chunksMax) {
        case .joined(let isLong):
            self.isLong.withLock { $0 = isLong }
            return nil
        case .refused(let wait): return wait
        }
    }

    func end() {
        let wasLong = isLong.withLock { isLong in
            defer { isLong = nil }
            return isLong
        }
        if let wasLong { throttle.leave(records: records, wasLong: wasLong) }
    }
}
