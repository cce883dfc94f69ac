// A stand-in of the API, what speaks to it, and time that nobody waits for.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Synchronization
import Testing

@testable import KubernetesDriver

enum KubernetesWorld {
    static let namespace = "tenants"

    static func launch(_ number: Int = 1, digits: String = "0000000a", account: String = "acme") throws -> Launch {
        let id = try JobID("2026-11-21-10-02-03-\(digits)")
        return Launch(job: JobKey(systemAccountID: account, indexName: "products", id: id), number: number)
    }

    static func spec() -> KubernetesJobSpec {
        var spec = KubernetesJobSpec(namespace: namespace, image: "registry.example/sluice:1")
        spec.serviceAccount = "extraction"
        spec.environment = [.init("SLUICE_BACKEND", "aws")]
        spec.secrets = [.init("SLUICE_ECOMMERCE_API_KEY", secret: "ecommerce", key: "api-key")]
        return spec
    }

    /// Runs the body with a launcher that speaks to the stand-in; its connections are gone afterwards.
    static func run(
        _ standIn: KubernetesStandIn = KubernetesStandIn(clock: ManualClock()),
        tokens: Tokens = Tokens(),
        options: HTTPOptions = HTTPOptions(),
        clock: any Timekeeping = EagerClock(),
        notice: @escaping @Sendable (String) -> Void = { _ in },
        _ body: (KubernetesLauncher, KubernetesStandIn) async throws -> Void
    ) async throws {
        try await withServer(standIn) { url async throws in
            let access = try KubernetesAccess(endpoint: url, authority: nil, token: tokens.token)
            try await run(access, options: options, clock: clock, notice: notice) { launcher async throws in
                try await body(launcher, standIn)
            }
        }
    }

    static func run(
        _ access: KubernetesAccess,
        options: HTTPOptions = HTTPOptions(),
        clock: any Timekeeping = EagerClock(),
        notice: @escaping @Sendable (String) -> Void = { _ in },
        _ body: (KubernetesLauncher) async throws -> Void
    ) async throws {
        var options = options
        // Nobody here waits for a connection in vain, and a crowded machine may keep one waiting.
        options.connectTimeout = .seconds(120)
        let jobs = try KubernetesJobs(
            access,
            namespace: namespace,
            pageSize: 4,
            options: options,
            clock: clock,
            random: SeededRandomSource(seed: 1),
            notice: notice
        )
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body(KubernetesLauncher(jobs, spec())))
        } catch {
            outcome = .failure(error)
        }
        await jobs.shutdown()
        try outcome.get()
    }
}

/// Gives out tokens, and says which of them are taken.
final class Tokens: Sendable {
    private struct State {
        var number = 1
        var taken: Set<String> = ["hush-token-1"]
        var renewals = 0
    }

    private let state = Mutex(State())

    var renewals: Int { state.withLock { $0.renewals } }

    /// What was given out until now is no longer taken; with `forever`, what is given out later neither.
    func expire(forever: Bool = false) {
        state.withLock { state in
            state.taken = forever ? [] : ["hush-token-\(state.number + 1)"]
        }
    }

    var token: @Sendable (_ renewed: Bool) async throws(PortError) -> HTTPSecretHeader {
        { [self] renewed throws(PortError) in
            let number = state.withLock { state in
                if renewed {
                    state.number += 1
                    state.renewals += 1
                }
                return state.number
            }
            return HTTPSecretHeader(name: "Authorization", value: "Bearer hush-token-\(number)")
        }
    }

    func accepts(_ token: String?) -> Bool {
        state.withLock { state in token.map { state.taken.contains($0) } ?? false }
    }
}

/// Time that stands still, and on which nobody sleeps, but which remembers for how long they would have.
final class EagerClock: Timekeeping {
    private let sleeps = Mutex<[Duration]>([])

    let now = ManualClock().now
    var minimumResolution: Duration { .milliseconds(1) }

    /// The sleeps until now, in order.
    var slept: [Duration] { sleeps.withLock { $0 } }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        sleeps.withLock { $0.append(now.duration(to: deadline)) }
    }
}

/// What a follower tells, one change after the other.
struct Changes {
    private var iterator: AsyncThrowingStream<KubernetesJobChange, any Error>.Iterator

    /// Follows while the body runs.
    static func of(_ jobs: KubernetesJobs, _ body: (inout Changes) async throws -> Void) async throws {
        let (stream, changes) = AsyncThrowingStream<KubernetesJobChange, any Error>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await jobs.follow { changes.yield($0) }
                    changes.finish()
                } catch {
                    changes.finish(throwing: error)
                }
            }
            defer { group.cancelAll() }
            var told = Changes(iterator: stream.makeAsyncIterator())
            try await body(&told)
        }
    }

    /// - Throws: what following ended with.
    mutating func next() async throws -> KubernetesJobChange {
        guard let change = try await iterator.next(isolation: #isolation) else { throw CancellationError() }
        return change
    }

    /// The next change in short, such as `sluice-…-1 running` or `-sluice-…-1` for one that vanished.
    mutating func nextWords() async throws -> String {
        switch try await next() {
        case .vanished(let job): "-\(job.launch.map { "\($0.number)" } ?? job.name)"
        case .present(let job): "\(job.launch.map { "\($0.number)" } ?? job.name) \(job.state)"
        }
    }
}
