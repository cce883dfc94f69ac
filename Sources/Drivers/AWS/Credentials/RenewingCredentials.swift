// Keeps credentials, and renews them before they expire.
package import SluiceCore
internal import Synchronization

/// Credentials for many tasks, asked for once and renewed in time.
///
/// One task at a time renews. While the old credentials are good the others go on with them, and a renewal that fails is no
/// error; once they have expired everybody waits for the one renewal, and shares its failure.
package final class RenewingCredentials: Sendable {
    /// How long before their end credentials are renewed: five minutes are what AWS promises that new ones are there.
    static let ahead: Duration = .seconds(300)
    /// How long before their end they are used: a call has to arrive in time.
    static let margin: Duration = .seconds(10)
    /// After a renewal that failed, how long the old ones are used before it is tried again.
    static let pause: Duration = .seconds(15)

    typealias Outcome = Result<AWSCredentials, AWSProblem>

    private struct Waiter {
        let id: UInt64
        /// Nil: nothing was found out, look again.
        let wake: CheckedContinuation<Outcome?, Never>
    }

    private struct State {
        var current: AWSCredentials?
        var hadAny = false
        var isRenewing = false
        var notBefore: Timestamp?
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
    }

    private enum Move {
        case use(AWSCredentials)
        case renew(fallback: AWSCredentials?)
        case wait(UInt64)
    }

    private let source: any CredentialProvider
    private let clock: any Timekeeping
    private let state = Mutex(State())

    package init(_ source: any CredentialProvider, clock: any Timekeeping) {
        self.source = source
        self.clock = clock
    }

    /// How many tasks wait for a renewal.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Credentials that are good now.
    ///
    /// - Throws: why there are none; with `isCancelled` if the caller was cancelled meanwhile.
    package func credentials() async throws(AWSProblem) -> AWSCredentials {
        while true {
            let now = clock.now
            switch state.withLock({ Self.move(&$0, now) }) {
            case .use(let credentials): return credentials
            case .renew(let fallback):
                let outcome = await renew()
                if case .failure(let problem) = outcome, let fallback, !problem.isCancelled { return fallback }
                return try outcome.get()
            case .wait(let id):
                if let outcome = await wait(id) { return try outcome.get() }
                guard !Task.isCancelled else { throw AWSProblem("cancelled", isCancelled: true) }
            }
        }
    }

    /// Says that a service found credentials to have expired, so that they are not used again.
    package func expire(_ stale: AWSCredentials) {
        state.withLock { state in
            if state.current == stale { state.current = nil }
        }
    }

    private static func move(_ state: inout State, _ now: Timestamp) -> Move {
        let left = state.current.map { $0.expires.map { now.duration(to: $0) } ?? ahead + margin }
        if let current = state.current, let left, left > margin {
            let isTooEarly = state.notBefore.map { now < $0 } ?? false
            if left > ahead || state.isRenewing || isTooEarly { return .use(current) }
            state.isRenewing = true
            return .renew(fallback: current)
        }
        if state.isRenewing {
            state.nextID += 1
            return .wait(state.nextID)
        }
        state.isRenewing = true
        return .renew(fallback: nil)
    }

    private func renew() async -> Outcome {
        let outcome = await ask()
        let now = clock.now
        let waiters = state.withLock { state in
            state.isRenewing = false
            switch outcome {
            case .success(let fresh):
                state.current = fresh
                state.hadAny = true
                // Some places give the same credentials until shortly before their end.
                let isEnding = fresh.expires.map { now.duration(to: $0) <= Self.ahead } ?? false
                state.notBefore = isEnding ? now.advanced(by: Self.pause) : nil
            case .failure(let problem):
                if !problem.isCancelled { state.notBefore = now.advanced(by: Self.pause) }
            }
            defer { state.waiters = [] }
            return state.waiters
        }
        // One task's cancellation says nothing about the others: one of them renews instead.
        var news: Outcome? = outcome
        if case .failure(let problem) = outcome, problem.isCancelled { news = nil }
        for waiter in waiters { waiter.wake.resume(returning: news) }
        return outcome
    }

    private func ask() async -> Outcome {
        do throws(AWSProblem) {
            guard let fresh = try await source.credentials() else {
                let problem = "no AWS credentials are set up here; looked in: \(source.name)"
                // A place that had some has fallen silent, which may pass.
                return .failure(AWSProblem(problem, isTransient: state.withLock { $0.hadAny }))
            }
            if let end = fresh.expires, clock.now.duration(to: end) <= Self.margin {
                return .failure(AWSProblem("\(source.name): the credentials expired at \(end)", isTransient: true))
            }
            return .success(fresh)
        } catch {
            return .failure(error)
        }
    }

    private func wait(_ id: UInt64) async -> Outcome? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (wake: CheckedContinuation<Outcome?, Never>) in
                let isNeeded = state.withLock { state in
                    // The renewal may have ended, or the caller been cancelled, since it was told to wait.
                    guard state.isRenewing, !Task.isCancelled else { return false }
                    state.waiters.append(Waiter(id: id, wake: wake))
                    return true
                }
                if !isNeeded { wake.resume(returning: nil) }
            }
        } onCancel: {
            let cancelled = state.withLock { state in
                let cancelled = state.waiters.filter { $0.id == id }
                state.waiters.removeAll { $0.id == id }
                return cancelled
            }
            for waiter in cancelled { waiter.wake.resume(returning: nil) }
        }
    }
}
