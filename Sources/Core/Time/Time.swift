// Wall time and waiting, handed in from outside so that a test can move them.
import Glibc

/// A clock of wall time; the only way in which anything here reads the time or waits.
public protocol Timekeeping: Clock, Sendable where Instant == Timestamp, Duration == Swift.Duration {}

/// The machine's own clock.
public struct WallClock: Timekeeping {
    public init() {}

    public var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    public var minimumResolution: Duration { .milliseconds(1) }

    public func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try await ContinuousClock().sleep(for: max(.zero, now.duration(to: deadline)), tolerance: tolerance)
    }
}
