// Decides which requests of a stand-in are answered wrongly, and how; shared by all its connections.
import Synchronization

/// A fault that can be counted by its name.
package protocol NamedFault: Sendable {
    var name: String { get }
}

/// A plan of faults by kind of request: scripted, standing, or by chance.
///
/// Requests of a kind are counted in the order in which they ask, from 1. Which fault the n-th one gets by chance depends on
/// the seed, the kind and n alone, so that a run with several connections meets the same faults as the run before. Scripted
/// faults come first, then standing ones, then chance. Everything may be changed while the stand-in runs.
package final class RequestFaults<Kind, Fault: NamedFault>: Sendable
where Kind: Hashable & Sendable & RawRepresentable<String> {
    /// Faults by chance.
    package struct Chance: Sendable {
        /// The share of requests that get one, 0 to 1.
        package var rate: Double
        /// What they get; one that weighs twice as much comes twice as often.
        package var faults: [(weight: Int, fault: Fault)]
        /// The kinds concerned; nil for all.
        package var kinds: Set<Kind>?
        package var seed: UInt64

        package init(rate: Double, faults: [(weight: Int, fault: Fault)], kinds: Set<Kind>? = nil, seed: UInt64) {
            precondition((0...1).contains(rate), "a share of requests is 0 to 1")
            precondition(faults.allSatisfy { $0.weight > 0 }, "a fault that never comes is not listed")
            self.rate = rate
            self.faults = faults
            self.kinds = kinds
            self.seed = seed
        }
    }

    private struct State {
        var requests: [Kind: Int] = [:]
        var scripted: [Kind: [Int: Fault]] = [:]
        var standing: [Kind: Fault] = [:]
        var chance: Chance?
        var struck: [String: Int] = [:]
    }

    private let state: Mutex<State>

    package init(chance: Chance? = nil) {
        state = Mutex(State(chance: chance))
    }

    /// The next `count` requests of a kind get the fault, behind those already scripted.
    package func script(_ fault: Fault, next count: Int = 1, of kind: Kind) {
        state.withLock { state in
            let first = max(state.requests[kind, default: 0], state.scripted[kind]?.keys.max() ?? 0) + 1
            for number in first..<first + count { state.scripted[kind, default: [:]][number] = fault }
        }
    }

    /// The request of a kind that is the `number`-th since the stand-in began gets the fault.
    package func script(_ fault: Fault, at number: Int, of kind: Kind) {
        state.withLock { $0.scripted[kind, default: [:]][number] = fault }
    }

    /// What was scripted and has not struck yet never will.
    package func unscript() {
        state.withLock { $0.scripted = [:] }
    }

    /// Every request of a kind gets the fault, until it is set to nil.
    package func stand(_ fault: Fault?, for kind: Kind) {
        state.withLock { $0.standing[kind] = fault }
    }

    /// From now on some requests get faults by chance; nil for none.
    package func setChance(_ chance: Chance?) {
        state.withLock { $0.chance = chance }
    }

    /// Counts a request and says which fault it gets, if any.
    package func strike(_ kind: Kind) -> Fault? {
        state.withLock { state in
            let number = state.requests[kind, default: 0] + 1
            state.requests[kind] = number
            let fault =
                state.scripted[kind]?.removeValue(forKey: number) ?? state.standing[kind]
                ?? state.chance?.fault(for: kind, number: number)
            if let fault { state.struck[fault.name, default: 0] += 1 }
            return fault
        }
    }

    /// How many requests of each kind have asked.
    package var requests: [Kind: Int] { state.withLock { $0.requests } }

    /// How often each fault has struck, by name.
    package var struck: [String: Int] { state.withLock { $0.struck } }
}

extension RequestFaults.Chance {
    fileprivate func fault(for kind: Kind, number: Int) -> Fault? {
        guard kinds?.contains(kind) ?? true, !faults.isEmpty else { return nil }
        var word = seed
        for byte in kind.rawValue.utf8 { word = Self.mixed(word ^ UInt64(byte)) }
        word = Self.mixed(word ^ UInt64(number))
        guard Double(word >> 11) * 0x1p-53 < rate else { return nil }
        var choice = Int(Self.mixed(word) % UInt64(faults.reduce(0) { $0 + $1.weight }))
        for (weight, fault) in faults {
            choice -= weight
            if choice < 0 { return fault }
        }
        return nil
    }

    /// One step of SplitMix64.
    private static func mixed(_ word: UInt64) -> UInt64 {
        var word = word &+ 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
