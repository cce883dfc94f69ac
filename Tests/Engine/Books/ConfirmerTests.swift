// Tries what is made of a sink's words about its receipts.
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("Confirming", .timeLimit(.minutes(10)))
struct ConfirmerTests {
    @Test("records that ended well need no payload", arguments: [1, 16])
    func withoutPayload(atOnce: Int) async throws {
        let world = try await ConfirmingWorld(TellingSink { $0.allCompleted })
        try await world.removePayloads()
        #expect(try await world.poll(world.context(atOnce: atOnce)) == ConfirmingWorld.chunks)
        let balance = try await world.balance()
        #expect(balance.completed == FixedSource.delivered.count)
        #expect(try await world.openReceipts() == 0)
    }

    @Test("a sink that needs records which are lost makes dead letters that say so")
    func lostPayload() async throws {
        let sink = TellingSink { request in
            await request.records() == nil ? .unknown(reason: "no records", after: nil) : request.allCompleted
        }
        let world = try await ConfirmingWorld(sink)
        try await world.removePayloads()
        try await world.poll()
        #expect(try await world.balance().deadLettered == FixedSource.delivered.count)
        let letters = try await world.deadLetters()
        #expect(letters.allSatisfy { $0.reason == "payload_missing" })
        #expect(try await world.openReceipts() == 0)
    }

    @Test("a record that is to be tried again and whose payload is lost is a dead letter, the others are not")
    func lostRetry() async throws {
        let sink = TellingSink { request in
            .ended(request.positions.map { $0 == 1 ? .retry(reason: "busy") : .completed })
        }
        let world = try await ConfirmingWorld(sink)
        try await world.removePayloads()
        try await world.poll()
        let balance = try await world.balance()
        #expect(balance.completed == 2 * ConfirmingWorld.chunks)
        #expect(balance.deadLettered == ConfirmingWorld.chunks)
        #expect(try await world.deadLetters().allSatisfy { $0.reason == "payload_missing: busy" })
    }

    @Test("records can be looked at, the same each time")
    func records() async throws {
        let sink = TellingSink { request in
            let first = await request.records()?.id(at: 0)
            let second = await request.records()?.id(at: 0)
            return first != nil && first == second ? request.allCompleted : .open
        }
        let world = try await ConfirmingWorld(sink)
        try await world.poll()
        #expect(try await world.balance().completed == FixedSource.delivered.count)
    }

    @Test("what another poll has delivered again meanwhile is not delivered once more", arguments: [true, false])
    func overlapping(isAtomic: Bool) async throws {
        let meeting = Meeting()
        let sink = TellingSink { _ in
            await meeting.takePlace()
            return .failed(reason: "busy")
        }
        let world = try await ConfirmingWorld(sink, isAtomic: isAtomic)
        meeting.rival.withLock { rival in
            rival = {
                let context = world.context()
                let confirmer = Confirmer(context: context, cache: JobCache(context), sinks: SinkCache(context))
                _ = try? await confirmer.poll()
            }
        }
        try await world.poll()
        #expect(sink.delivered.count == 2 * ConfirmingWorld.chunks)
        #expect(try await world.openReceipts() == ConfirmingWorld.chunks)
    }

    @Test("a slice that can't be read holds up its own receipts only", arguments: [true, false])
    func unreadableSlice(isAtomic: Bool) async throws {
        let world = try await ConfirmingWorld(TellingSink { $0.allCompleted }, isAtomic: isAtomic)
        try await world.spoilSlice(0)
        try await world.poll()
        #expect(try await world.openReceipts() == ConfirmingWorld.chunks / 2)
    }

    @Test("a receipt that can't be read holds up no other", arguments: [true, false])
    func unreadableReceipt(isAtomic: Bool) async throws {
        let world = try await ConfirmingWorld(TellingSink { $0.allCompleted }, isAtomic: isAtomic)
        try await world.spoilReceipt()
        try await world.poll()
        #expect(try await world.balance().completed == FixedSource.delivered.count - 3)
    }

    @Test(
        "a sink that wants mending is not asked all the time about a job that is at its end",
        arguments: [true, false]
    )
    func haltedAtTheEnd(isAtomic: Bool) async throws {
        let sink = TellingSink { _ in .halted(reason: "the key was revoked") }
        let world = try await ConfirmingWorld(sink, isAtomic: isAtomic, every: .seconds(60))
        try await world.cancel()
        let context = world.context()
        let confirmer = Confirmer(context: context, cache: JobCache(context), sinks: SinkCache(context))
        #expect(try await confirmer.poll() == ConfirmingWorld.chunks)
        #expect(try await confirmer.poll() == 0)
        #expect(try await world.status() == .cancelled)
    }

    @Test("when a sink can't say which records failed, halves are delivered until it can")
    func halves() async throws {
        let sink = TellingSink { request in
            guard request.positions.contains(1) else { return request.allCompleted }
            return request.positions.count > 1
                ? .undetermined(reason: "one failed") : .ended([.refused(reason: "failed item")])
        }
        let world = try await ConfirmingWorld(sink)
        for _ in 0..<3 { try await world.poll() }
        let balance = try await world.balance()
        #expect(balance.completed == 2 * ConfirmingWorld.chunks)
        #expect(balance.deadLettered == ConfirmingWorld.chunks)
        let letters = try await world.deadLetters()
        #expect(letters.map(\.position) == Array(repeating: 1, count: ConfirmingWorld.chunks))
        #expect(letters.allSatisfy { $0.reason == "failed item" && $0.attempts == 1 })
        let deliveries = Dictionary(grouping: sink.delivered, by: { $0 }).mapValues(\.count)
        let each = ConfirmingWorld.chunks
        #expect(deliveries == [[0, 1, 2]: each, [0]: each, [1, 2]: each, [1]: each, [2]: each])
        #expect(try await world.openReceipts() == 0)
    }

    @Test("a sink that can't even say whether one record failed does not go on for ever")
    func halvesEnd() async throws {
        let world = try await ConfirmingWorld(TellingSink { _ in .undetermined(reason: "no idea") })
        for _ in 0..<4 { try await world.poll() }
        #expect(try await world.balance().deadLettered == FixedSource.delivered.count)
        #expect(try await world.openReceipts() == 0)
    }

    @Test("what fails for one receipt keeps no other from being followed up", arguments: [1, 4])
    func oneFails(atOnce: Int) async throws {
        let world = try await ConfirmingWorld(TellingSink { $0.allCompleted })
        let plan = FaultPlan(failing: 1, of: [.queueCall])
        #expect(try await world.poll(world.context(plan, atOnce: atOnce)) == ConfirmingWorld.chunks)
        #expect(plan.hasStruck)
        #expect(try await world.openReceipts() == 1)
        try await world.poll()
        #expect(try await world.openReceipts() == 0)
        #expect(try await world.balance().completed == FixedSource.delivered.count)
    }

    @Test("as many receipts are asked about at once as is set, and no more")
    func atOnce() async throws {
        let gate = Gathering(of: 3)
        let world = try await ConfirmingWorld(
            TellingSink { request in
                await gate.pass()
                return request.allCompleted
            }
        )
        try await world.poll(world.context(atOnce: 3))
        #expect(gate.most == 3)
        #expect(try await world.openReceipts() == 0)
    }

    @Test("a sink that is halted pauses the job, and its receipts stay")
    func halted() async throws {
        let world = try await ConfirmingWorld(TellingSink { _ in .halted(reason: "the key is wrong") })
        try await world.poll()
        #expect([.pausing, .paused].contains(try await world.status()))
        #expect(try await world.openReceipts() == ConfirmingWorld.chunks)
    }

    @Test("every look asks about every open receipt, from the first on", arguments: [1, 10, 11, 60, 3600])
    func everyLook(seconds: Int) async throws {
        let world = try await ConfirmingWorld(TellingSink { _ in .open }, every: .seconds(seconds))
        for _ in 0..<4 { #expect(try await world.poll() == ConfirmingWorld.chunks) }
    }

    @Test("a sink that asks for time is left in peace until then")
    func putOff() async throws {
        let world = try await ConfirmingWorld(TellingSink { _ in .unknown(reason: "busy", after: .seconds(60)) })
        #expect(try await world.poll() == ConfirmingWorld.chunks)
        #expect(try await world.poll() == 0)
    }
}

/// Lets callers through in groups: each waits until the group is complete.
private final class Gathering: Sendable {
    private struct State {
        var inside = 0
        var most = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let size: Int
    private let state = Mutex(State())

    init(of size: Int) { self.size = size }

    var most: Int { state.withLock(\.most) }

    func pass() async {
        await withCheckedContinuation { own in
            let group = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                state.waiting.append(own)
                state.inside += 1
                state.most = max(state.most, state.inside)
                guard state.waiting.count == size else { return [] }
                defer { state.waiting = [] }
                return state.waiting
            }
            for one in group { one.resume() }
        }
        state.withLock { $0.inside -= 1 }
    }
}

/// The first that comes here waits until another poll has been.
private final class Meeting: Sendable {
    let rival = Mutex<(@Sendable () async -> Void)?>(nil)

    func takePlace() async {
        let poll = rival.withLock { rival in
            defer { rival = nil }
            return rival
        }
        await poll?()
    }
}
