// Says on standard error how far a comparison has come.
import SluiceCore
import Synchronization

/// One line every few seconds.
final class VerifyProgress: Sendable {
    private let clock: any Timekeeping
    private let next: Mutex<Timestamp>

    private static let interval: Duration = .seconds(5)

    init(clock: any Timekeeping) {
        self.clock = clock
        next = Mutex(clock.now.advanced(by: Self.interval))
    }

    func note(_ compared: Int) {
        let now = clock.now
        let isDue = next.withLock { next in
            guard next <= now else { return false }
            next = now.advanced(by: Self.interval)
            return true
        }
        if isDue { StandardError.write("sluice: \(compared) records compared\n") }
    }
}
