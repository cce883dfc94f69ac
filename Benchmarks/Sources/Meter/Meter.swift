// Measures work in seconds of CPU, so that what else the machine does counts little.

import Glibc

/// Five timed rounds after one to warm up; the median is the result.
public struct Meter {
    public var rounds = 5
    /// A round repeats its work until it has lasted this long, so that the clock's grain does not show.
    public var roundSeconds = 0.5

    public init() {}

    /// CPU seconds for one run of `work`.
    public func seconds(_ work: () throws -> Void) rethrows -> Double {
        try work()
        var medians: [Double] = []
        for _ in 0..<rounds {
            let start = now()
            var runs = 0
            repeat {
                try work()
                runs += 1
            } while now() - start < roundSeconds
            medians.append((now() - start) / Double(runs))
        }
        return medians.sorted()[rounds / 2]
    }

    private func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
