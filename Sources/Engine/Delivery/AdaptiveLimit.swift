// How many deliveries at once a destination bears, found out by trying.
import SluiceCore

/// Comes back quickly to where overload began, lingers there, and then probes for more, ever faster.
///
/// It starts slowly and doubles each round trip until the first overload. Only successful round trips raise the limit, and
/// only when its places are used. An overload lowers it by a tenth below the edge where it began; every further refusal
/// among the deliveries that were under way together shows that the edge is one lower still, so that a capacity that falls
/// to a tenth is found within a round trip.
struct AdaptiveLimit: Sendable, Equatable {
    /// A limit set by an operator; it then neither rises nor falls.
    var fixed: Int?
    private var current: Double
    private let maximum: Double
    /// How many at once the destination bore just before it was overloaded last; nil until it was.
    private var edge: Double?
    /// Since the limit was last lowered.
    private var roundTrips = 0.0
    /// Deliveries begun before this belong to the overload that lowered the limit.
    private var loweredAt: Int = -1
    private var begun = 0
    private(set) var underway = 0

    /// How far below the edge an overload leads.
    private static let stepBack = 0.1
    /// How many round trips it takes to come back to the edge.
    private static let comeback = 8.0

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
            guard let edge else {
                current = min(maximum, current + 1)
                return
            }
            guard number > loweredAt else { return }
            roundTrips += 1 / current
            current = min(maximum, max(1, Self.limit(edge: edge, roundTrips: roundTrips)))
        case .overloaded:
            if number > loweredAt {
                loweredAt = begun
                roundTrips = 0
                edge = max(1, current.rounded(.down) - 1)
            } else {
                edge = max(1, (edge ?? current) - 1)
            }
            current = max(1, (edge ?? 1) * (1 - Self.stepBack))
        case .undecided:
            break
        }
    }

    /// Steep far from the edge and flat near it, on both sides.
    private static func limit(edge: Double, roundTrips: Double) -> Double {
        let distance = (roundTrips - comeback) / comeback
        if distance < 0 { return edge + edge * stepBack * distance * distance * distance }
        // A first overload after the comeback may have been chance; one more round trip is waited for.
        guard roundTrips > comeback + 1 else { return edge }
        let growth = (1 + distance) * (1 + distance) * (1 + distance) * (1 + distance) - 1
        return edge + max(1, edge * stepBack) * growth / 4
    }

    enum Outcome: Sendable {
        case succeeded
        case overloaded
        /// Neither a success nor a sign of overload, such as a time-out.
        case undecided
    }
}
