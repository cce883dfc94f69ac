// What many tasks send at once shares batches, and nobody pays for somebody else's failure.
import SluiceCore
import Synchronization
import Testing

@testable import AWSDriver

@Suite("Gathering batches", .timeLimit(.minutes(10)))
struct BatchGathererTests {
    /// Keeps what was transmitted; the first batch waits until it is let go, or cancelled.
    private final class Line: Sendable {
        private struct State {
            var batches: [[String]] = []
            var gate: CheckedContinuation<Void, Never>?
            var isOpen = false
        }

        private let state = Mutex(State())
        let outcome: @Sendable (String) -> PortError?

        init(_ outcome: @escaping @Sendable (String) -> PortError? = { _ in nil }) {
            self.outcome = outcome
        }

        var batches: [[String]] { state.withLock { $0.batches } }

        func open() {
            let gate = state.withLock { state in
                state.isOpen = true
                return state.gate.take()
            }
            gate?.resume()
        }

        func transmit(_ entries: [String]) async -> [PortError?] {
            let isFirst = state.withLock { state in
                state.batches.append(entries)
                return state.batches.count == 1
            }
            if isFirst {
                await withTaskCancellationHandler {
                    await withCheckedContinuation { gate in
                        let isOpen = state.withLock { state in
                            if !state.isOpen { state.gate = gate }
                            return state.isOpen
                        }
                        if isOpen { gate.resume() }
                    }
                } onCancel: {
                    open()
                }
                if Task.isCancelled { return entries.map { _ in PortError(.cancelled, "cancelled") } }
            }
            return entries.map(outcome)
        }
    }

    private func gatherer(_ line: Line, bytes: Int = 1000) -> BatchGatherer<String> {
        let limits = BatchGatherer<String>.Limits(entries: 10, bytes: bytes, flights: 1)
        return BatchGatherer(limits, bytes: { $0.utf8.count }, transmit: { await line.transmit($0) })
    }

    private func until(_ condition: () -> Bool) async {
        while !condition() { await Task.yield() }
    }

    @Test("who comes alone goes at once; who comes meanwhile goes together")
    func shares() async throws {
        let line = Line()
        let gatherer = gatherer(line)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gatherer.send(["first"]) }
            await until { line.batches.count == 1 }
            for number in 0..<12 { group.addTask { try await gatherer.send(["\(number)"]) } }
            await until { gatherer.waitingCount == 12 }
            line.open()
            try await group.waitForAll()
        }
        #expect(line.batches.map(\.count) == [1, 10, 2])
        #expect(Set(line.batches.flatMap { $0 }).count == 13)
        #expect(gatherer.waitingCount == 0)
    }

    @Test("a batch is full when its bytes are")
    func bytes() async throws {
        let line = Line()
        line.open()
        try await gatherer(line, bytes: 10).send(["aaaa", "bbbb", "cccc", "dddddddddd", "e", "f"])
        #expect(line.batches == [["aaaa", "bbbb"], ["cccc"], ["dddddddddd"], ["e", "f"]])
    }

    @Test("a failed entry fails its own caller alone")
    func failures() async throws {
        let line = Line { $0 == "bad" ? PortError(.invalidRequest, "bad") : nil }
        let gatherer = gatherer(line)
        try await withThrowingTaskGroup(of: (String, Bool).self) { group in
            for name in ["first", "bad", "good"] {
                group.addTask {
                    do {
                        try await gatherer.send([name])
                        return (name, true)
                    } catch {
                        return (name, false)
                    }
                }
                if name == "first" { await until { line.batches.count == 1 } }
            }
            await until { gatherer.waitingCount == 2 }
            line.open()
            let ended = try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            #expect(ended == ["first": true, "bad": false, "good": true])
        }
        #expect(line.batches.count == 2)
    }

    @Test("a caller that is cancelled while it sends for others leaves their entries to them")
    func cancelledLeader() async throws {
        // The first batch is the one that waits; its leader sends for the second caller too.
        let line = Line()
        let limits = BatchGatherer<String>.Limits(entries: 10, bytes: 1000, flights: 1)
        let front = Line()
        let gatherer = BatchGatherer<String>(limits, bytes: { $0.utf8.count }) { entries in
            if front.batches.isEmpty { return await front.transmit(entries) }
            return await line.transmit(entries)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gatherer.send(["first"]) }
            await until { front.batches.count == 1 }
            let leader = Task { try await gatherer.send(["leader"]) }
            await until { gatherer.waitingCount == 1 }
            group.addTask { try await gatherer.send(["other"]) }
            await until { gatherer.waitingCount == 2 }
            front.open()
            await until { line.batches.count == 1 }
            leader.cancel()
            let error = await #expect(throws: PortError.self) { try await leader.value }
            #expect(error?.code == .cancelled)
            try await group.waitForAll()
        }
        #expect(line.batches == [["leader", "other"], ["other"]])
    }

    @Test("a caller that is cancelled while it waits takes its entries back")
    func cancelledWaiter() async throws {
        let line = Line()
        let gatherer = gatherer(line)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gatherer.send(["first"]) }
            await until { line.batches.count == 1 }
            let waiter = Task { try await gatherer.send(["waiter"]) }
            await until { gatherer.waitingCount == 1 }
            waiter.cancel()
            let error = await #expect(throws: PortError.self) { try await waiter.value }
            #expect(error?.code == .cancelled)
            #expect(gatherer.waitingCount == 0)
            line.open()
            try await group.waitForAll()
        }
        #expect(line.batches == [["first"]])
    }
}
