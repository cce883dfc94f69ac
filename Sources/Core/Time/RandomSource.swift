// Chance, handed in from outside so that a test can repeat it.
import Synchronization

/// Where random numbers come from: jitter and ids.
///
/// Shared by tasks, hence not a `RandomNumberGenerator`.
public protocol RandomSource: Sendable {
    func next() -> UInt64
}

extension RandomSource {
    /// An even choice in `0..<1`.
    public func fraction() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Lower-case hexadecimal digits.
    public func hexadecimal(_ digits: Int) -> String {
        var text = ""
        while text.utf8.count < digits {
            let word = String(next(), radix: 16)
            text += String(repeating: "0", count: 16 - word.utf8.count) + word
        }
        return String(text.prefix(digits))
    }
}

/// The system's random numbers.
public struct SystemRandomSource: RandomSource {
    public init() {}

    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// A repeatable sequence (SplitMix64) for tests and benchmarks.
public final class SeededRandomSource: RandomSource {
    private let state: Mutex<UInt64>

    public init(seed: UInt64) {
        state = Mutex(seed)
    }

    public func next() -> UInt64 {
        state.withLock { state in
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
    }
}
