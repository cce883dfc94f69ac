// Ports that fail on cue: which call fails, and how, found again in every run.
import SluiceCore
import Synchronization

/// Decides for a set of faulty ports which of their calls fails; shared by all wrappers of one run.
///
/// Calls are counted in the order in which they begin. One call fails; those after it succeed, so that a caller is
/// seen to recover.
public final class FaultPlan: Sendable {
    /// What a call is to the books.
    public enum Kind: String, Sendable, CaseIterable {
        case storeRead, storeWrite, queueCall, objectCall
        /// A transaction across tables and queues.
        case commit
    }

    /// When the call fails.
    public enum Moment: String, Sendable, CaseIterable {
        /// Nothing happened, and the caller can't know.
        case notApplied
        /// It happened, and the answer was lost.
        case answerLost
    }

    /// A call that was made.
    public struct Call: Sendable, Hashable, CustomStringConvertible {
        /// From 1, over the calls that the plan counts; 0 for others.
        public let number: Int
        public let kind: Kind
        /// The port's method and what it was about, such as `send replay`.
        public let name: String
        /// Whether and how it failed by plan.
        public let fault: Moment?

        public var description: String {
            "\(number). \(kind) \(name)\(fault.map { " (\($0))" } ?? "")"
        }
    }

    private struct State {
        var counted = 0
        var log: [Call] = []
    }

    public let failing: Int?
    public let kinds: Set<Kind>
    public let moment: Moment
    private let state = Mutex(State())

    /// A plan in which the call of number `failing` fails, counted from 1 over calls of `kinds`; none if it is nil.
    public init(failing: Int? = nil, of kinds: Set<Kind> = Set(Kind.allCases), moment: Moment = .notApplied) {
        self.failing = failing
        self.kinds = kinds
        self.moment = moment
    }

    /// Every call so far, in the order in which they began.
    public var log: [Call] { state.withLock { $0.log } }

    /// How many of the calls so far were of the kinds that are counted.
    public var callCount: Int { state.withLock { $0.counted } }

    /// Whether the planned call has come.
    public var hasStruck: Bool { state.withLock { $0.log.contains { $0.fault != nil } } }

    /// Runs a body once for every call that could fail: with the first failing, with the second, and so on.
    ///
    /// Ends after the first run that has fewer calls. The body makes everything anew, wraps it with the plan it is
    /// given, and throws if what it then finds is wrong.
    ///
    /// - Throws: what the body throws, or `ContractFailure` if a run has more than `most` calls.
    public static func failingEachCall(
        of kinds: Set<Kind> = Set(Kind.allCases),
        moment: Moment,
        most: Int = 10_000,
        _ body: (FaultPlan) async throws -> Void
    ) async throws {
        for number in 1...most {
            let plan = FaultPlan(failing: number, of: kinds, moment: moment)
            try await body(plan)
            if !plan.hasStruck { return }
        }
        throw ContractFailure("a run makes more than \(most) calls")
    }

    /// Makes a call, or fails it as planned.
    func call<Value>(
        _ kind: Kind,
        _ name: String,
        _ body: () async throws(PortError) -> Value
    ) async throws(PortError) -> Value {
        guard let fault = begin(kind, name) else { return try await body() }
        switch fault {
        case .notApplied:
            throw PortError(.unavailable, "by plan, \(name) failed before it was applied")
        case .answerLost:
            _ = try await body()
            throw PortError(.timedOut, "by plan, \(name) was applied and its answer lost")
        }
    }

    private func begin(_ kind: Kind, _ name: String) -> Moment? {
        state.withLock { state in
            let isCounted = kinds.contains(kind)
            if isCounted { state.counted += 1 }
            let fault = isCounted && state.counted == failing ? moment : nil
            state.log.append(Call(number: isCounted ? state.counted : 0, kind: kind, name: name, fault: fault))
            return fault
        }
    }
}
