// How many deliveries at once a destination bears, found out by trying.
import SluiceCore

/// Additive increase, multiplicative decrease, with a slow start.
///
/// Only a successful round trip raises the limit, only an overload lowers it, and at most once for the deliveries
/// that were under way together.
struct AdaptiveLimit: Sendable, Equatable {
    /// A limit set by an operator; it then neither rises nor falls.
    var fixed: Int?
    private var current: Double
    private let maximum: Double
    private var isStarting = true
    /// Deliveries begun before this do not lower the limit again.
    private var loweredAt: Int = -1
    private var begun = 0
    private(set) var underway = 0

    init(initial: Int = 4, maximum: Int) {
        current = Double(min(initial, maximum))
        self.maximum = Double(maximum)
    }

    var limit: Int { fixed ?? max(1, Int(current)) }

    /// Takes a place and answers its number, or nil if all are taken.
    mutating func begin() -> Int? {
        guard underway < limit else { return nil }
        underway += 1
        begun += 1
        return begun
    }

    mutating func end(_ number: Int, _ outcome: Outcome) {
        underway -= 1
        switch outcome {
        case .succeeded:
            // Idle places prove nothing about what the destination bears.
            guard Double(underway + 1) >= current / 2 else { return }
            current = min(maximum, isStarting ? current + 1 : current + 1 / current)
        case .overloaded:
            guard number > loweredAt else { return }
            isStarting = false
            loweredAt = begun
            current = max(1, current / 2)
        case .undecided:
            break
        }
    }

    enum Outcome: Sendable {
        case succeeded
        case overloaded
        /// Neither a success nor a sign of overload, such as a time-out.
        case undecided
    }
}
