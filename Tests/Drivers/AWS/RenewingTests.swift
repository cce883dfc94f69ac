// Credentials are renewed before they expire, by one task, and nobody notices.
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import AWSDriver

@Suite("Credentials that are renewed", .timeLimit(.minutes(10)))
struct RenewingTests {
    private let clock = ManualClock()

    /// The n-th credentials, an hour each.
    private func hourly(_ number: Int) throws(AWSProblem) -> AWSCredentials {
        try AWSCredentials(
            accessKeyID: "KEY\(number)",
            secretAccessKey: "s",
            sessionToken: "t",
            expires: clock.now.advanced(by: .seconds(3600))
        )
    }

    @Test("they are asked for once, until five minutes before their end")
    func renewal() async throws {
        let provider = CountingProvider { number throws(AWSProblem) in try hourly(number) }
        let credentials = RenewingCredentials(provider, clock: clock)
        for (seconds, expected) in [(0, 1), (3200, 1), (99, 1), (1, 2), (3299, 2), (1, 3)] {
            clock.advance(by: .seconds(seconds))
            #expect(try await credentials.credentials().accessKeyID == "KEY\(expected)")
        }
        #expect(provider.asked == 3)
    }

    @Test("those without an end are asked for once")
    func endless() async throws {
        let provider = CountingProvider { _ throws(AWSProblem) in
            try AWSCredentials(accessKeyID: "A", secretAccessKey: "s")
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        for _ in 0..<3 {
            _ = try await credentials.credentials()
            clock.advance(by: .seconds(86_400 * 365))
        }
        #expect(provider.asked == 1)
    }

    @Test("while the old ones are good a failed renewal is no error, and is tried again after a pause")
    func failedRenewal() async throws {
        let provider = CountingProvider { number throws(AWSProblem) in
            guard number != 2, number != 3 else { throw AWSProblem("not now", isTransient: true) }
            return try hourly(number)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        _ = try await credentials.credentials()
        for (seconds, expected, asked) in [(3300, 1, 2), (14, 1, 2), (1, 1, 3), (14, 1, 3), (1, 4, 4)] {
            clock.advance(by: .seconds(seconds))
            #expect(try await credentials.credentials().accessKeyID == "KEY\(expected)")
            #expect(provider.asked == asked)
        }
    }

    @Test("ones that are as near their end as the old are not asked for at every call")
    func ending() async throws {
        let end = clock.now.advanced(by: .seconds(200))
        let provider = CountingProvider { _ throws(AWSProblem) in
            try AWSCredentials(accessKeyID: "A", secretAccessKey: "s", expires: end)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        for _ in 0..<5 { _ = try await credentials.credentials() }
        #expect(provider.asked == 1)
        clock.advance(by: .seconds(15))
        _ = try await credentials.credentials()
        #expect(provider.asked == 2)
    }

    @Test("once they have expired a failure is one, and names its reason")
    func expired() async throws {
        let provider = CountingProvider { number throws(AWSProblem) in
            guard number == 1 else { return nil }
            return try hourly(number)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        _ = try await credentials.credentials()
        clock.advance(by: .seconds(3591))
        let problem = await #expect(throws: AWSProblem.self) { _ = try await credentials.credentials() }
        #expect(problem?.description.contains("looked in: a test") == true)
        #expect(problem?.isTransient == true)
    }

    @Test("ones that have expired before they came are refused by name")
    func stale() async throws {
        let end = clock.now
        let provider = CountingProvider { _ throws(AWSProblem) in
            try AWSCredentials(accessKeyID: "A", secretAccessKey: "s", expires: end)
        }
        let problem = await #expect(throws: AWSProblem.self) {
            _ = try await RenewingCredentials(provider, clock: clock).credentials()
        }
        #expect(problem?.description == "a test: the credentials expired at \(end)")
    }

    @Test("one task asks, all others wait for it and share what it got")
    func single() async throws {
        let gate = Gate()
        let provider = CountingProvider { number throws(AWSProblem) in
            await gate.pass()
            return try hourly(number)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        let keys = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await credentials.credentials().accessKeyID } }
            while credentials.waiting < 49 { await Task.yield() }
            gate.open()
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(keys == ["KEY1"])
        #expect(provider.asked == 1)
    }

    @Test("all who wait share a failure, and the next call asks again")
    func sharedFailure() async throws {
        let gate = Gate()
        let provider = CountingProvider { number throws(AWSProblem) in
            await gate.pass()
            guard number > 1 else { throw AWSProblem("not now") }
            return try hourly(number)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        let failures = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 { group.addTask { (try? await credentials.credentials()) == nil } }
            while credentials.waiting < 19 { await Task.yield() }
            gate.open()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 20)
        #expect(try await credentials.credentials().accessKeyID == "KEY2")
    }

    @Test("a cancelled asker leaves the asking to one of those who wait")
    func cancelledAsker() async throws {
        let gate = Gate()
        let provider = CountingProvider { number throws(AWSProblem) in
            guard number > 1 else {
                await gate.pass()
                throw AWSProblem("cancelled", isCancelled: true)
            }
            return try hourly(number)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask { try? await credentials.credentials().accessKeyID }
            while provider.asked < 1 { await Task.yield() }
            group.addTask { try await credentials.credentials().accessKeyID }
            while credentials.waiting < 1 { await Task.yield() }
            gate.open()
            let got = try await group.reduce(into: []) { $0.append($1) }
            #expect(Set(got) == [nil, "KEY2"])
        }
    }

    @Test("whoever waits can be cancelled, and the renewal goes on")
    func cancelledWaiter() async throws {
        let gate = Gate()
        let provider = CountingProvider { number throws(AWSProblem) in
            await gate.pass()
            return try hourly(number)
        }
        let credentials = RenewingCredentials(provider, clock: clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { _ = try await credentials.credentials() }
            while provider.asked < 1 { await Task.yield() }
            let problem = await withTaskGroup(of: AWSProblem?.self) { inner in
                inner.addTask {
                    do throws(AWSProblem) {
                        _ = try await credentials.credentials()
                        return nil
                    } catch {
                        return error
                    }
                }
                while credentials.waiting < 1 { await Task.yield() }
                inner.cancelAll()
                return await inner.next() ?? nil
            }
            #expect(problem?.isCancelled == true)
            gate.open()
            try await group.waitForAll()
        }
        #expect(try await credentials.credentials().accessKeyID == "KEY1")
    }
}

/// Holds whoever comes until it is opened.
private final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func pass() async {
        await withCheckedContinuation { (go: CheckedContinuation<Void, Never>) in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.held.append(go) }
                return state.isOpen
            }
            if isOpen { go.resume() }
        }
    }

    func open() {
        let held = state.withLock { state in
            state.isOpen = true
            defer { state.held = [] }
            return state.held
        }
        for go in held { go.resume() }
    }
}
