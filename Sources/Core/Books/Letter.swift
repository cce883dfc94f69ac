// What the books know of one record, as a letter that only rises.

/// How far a record has come.
///
/// Letters form a lattice; booking takes the least upper bound, so that events may come twice, late and in any order.
public enum Letter: UInt8, Sendable, Hashable, CaseIterable {
    /// Sent, nothing known.
    case inFlight = 0x69
    /// Accepted by the sink, end unknown.
    case accepted = 0x61
    /// Refused for good, never accepted.
    case refused = 0x72
    /// Accepted, then failed for good.
    case failed = 0x66
    case completed = 0x63

    /// Counts as a dead letter.
    public var isDead: Bool { self == .refused || self == .failed }

    /// Nothing more is expected, unless a redrive is asked for.
    public var isFinal: Bool { isDead || self == .completed }

    /// The least upper bound: `i < a < f < c`, `i < r < f`, and `a ∨ r = f`.
    public func joined(with other: Letter) -> Letter {
        switch (self, other) {
        case (.completed, _), (_, .completed): .completed
        case (.failed, _), (_, .failed): .failed
        case (.accepted, .refused), (.refused, .accepted): .failed
        case (.inFlight, let letter), (let letter, .inFlight): letter
        case (.accepted, .accepted): .accepted
        case (.refused, .refused): .refused
        }
    }
}

/// The letters of a chunk's records, by position.
public struct Letters: Sendable, Hashable {
    public private(set) var values: [Letter]

    /// All in flight, which is what an absent chunk item means.
    public init(count: Int) {
        values = Array(repeating: .inFlight, count: count)
    }

    /// Nil if the text holds anything but letters.
    public init?(_ text: String) {
        var values: [Letter] = []
        values.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            guard let letter = Letter(rawValue: byte) else { return nil }
            values.append(letter)
        }
        self.values = values
    }

    public var count: Int { values.count }

    public subscript(position: Int) -> Letter { values[position] }

    /// Raises one letter; false if it stays what it was.
    @discardableResult
    public mutating func raise(_ position: Int, to letter: Letter) -> Bool {
        let new = values[position].joined(with: letter)
        guard new != values[position] else { return false }
        values[position] = new
        return true
    }

    /// Raises every letter; the positions at which it changed something.
    @discardableResult
    public mutating func join(_ other: Letters) -> [Int] {
        precondition(other.count == count, "two letters strings of one chunk differ in length")
        return values.indices.filter { raise($0, to: other[$0]) }
    }

    /// How many records stand at each letter.
    public func tally() -> LetterCounts {
        var counts = LetterCounts()
        for letter in values { counts[letter] += 1 }
        return counts
    }

    public var text: String { String(decoding: values.lazy.map(\.rawValue), as: UTF8.self) }
}

/// A number for each letter; also a difference.
public struct LetterCounts: Sendable, Hashable {
    public var inFlight = 0
    public var accepted = 0
    public var refused = 0
    public var failed = 0
    public var completed = 0

    public init() {}

    public subscript(letter: Letter) -> Int {
        get {
            switch letter {
            case .inFlight: inFlight
            case .accepted: accepted
            case .refused: refused
            case .failed: failed
            case .completed: completed
            }
        }
        set {
            switch letter {
            case .inFlight: inFlight = newValue
            case .accepted: accepted = newValue
            case .refused: refused = newValue
            case .failed: failed = newValue
            case .completed: completed = newValue
            }
        }
    }

    public static func += (left: inout LetterCounts, right: LetterCounts) {
        for letter in Letter.allCases { left[letter] += right[letter] }
    }

    public static func - (left: LetterCounts, right: LetterCounts) -> LetterCounts {
        var difference = left
        for letter in Letter.allCases { difference[letter] -= right[letter] }
        return difference
    }
}
