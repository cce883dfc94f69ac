// Gathers what many tasks send at the same moment into batches.
internal import SluiceCore
internal import Synchronization

/// Sends entries in batches that several callers share.
///
/// Who comes alone goes at once: nobody waits for company. While as many batches as may are under way, entries gather; the
/// next batch takes the oldest of them, and one of their callers sends it for all. A caller that is cancelled leaves what it
/// was sending for others to them.
final class BatchGatherer<Entry: Sendable>: Sendable {
    struct Limits: Sendable {
        var entries = SQS.batchMax
        var bytes = SQS.batchBytesMax
        /// Batches under way at the same moment.
        var flights = 4
    }

    struct Waiting: Sendable {
        let caller: Int
        let entry: Entry
        let bytes: Int
    }

    private enum Turn {
        case ended(PortError?)
        case leads([Waiting])
    }

    private struct Caller {
        var open: Int
        var error: PortError?
        var wake: CheckedContinuation<Turn, Never>?
    }

    private typealias Wake = (continuation: CheckedContinuation<Turn, Never>, turn: Turn)

    private struct State {
        var waiting: [Waiting] = []
        var callers: [Int: Caller] = [:]
        var flights = 0
        var lastID = 0
    }

    private let limits: Limits
    private let bytes: @Sendable (Entry) -> Int
    private let transmit: @Sendable ([Entry]) async -> [PortError?]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limits: of batches.
    ///   - bytes: what an entry counts towards the limit.
    ///   - transmit: sends a batch, and tells of each entry in turn why it was not sent.
    init(
        _ limits: Limits = Limits(),
        bytes: @escaping @Sendable (Entry) -> Int,
        transmit: @escaping @Sendable ([Entry]) async -> [PortError?]
    ) {
        self.limits = limits
        self.bytes = bytes
        self.transmit = transmit
    }

    /// How many entries wait for a batch; for tests.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Returns when all entries were sent.
    ///
    /// Full batches go by themselves; what is left over shares.
    ///
    /// - Throws: the first error; any part of the entries may have been sent then.
    func send(_ entries: [Entry]) async throws(PortError) {
        var batches = packed(entries)
        guard let last = batches.popLast() else { return }
        let transmit = transmit
        let error = await inParallel(batches, width: limits.flights) { batch in
            await transmit(batch).lazy.compactMap { $0 }.first
        }
        if let error { throw error }
        try await share(last)
    }

    private func packed(_ entries: [Entry]) -> [[Entry]] {
        var batches: [[Entry]] = []
        var room = 0
        for entry in entries {
            let size = bytes(entry)
            if let last = batches.last, last.count < limits.entries, size <= room {
                batches[batches.count - 1].append(entry)
                room -= size
            } else {
                batches.append([entry])
                room = limits.bytes - size
            }
        }
        return batches
    }

    private func share(_ entries: [Entry]) async throws(PortError) {
        let sized = entries.map { (entry: $0, bytes: bytes($0)) }
        let id = state.withLock { state in
            state.lastID += 1
            let id = state.lastID
            state.callers[id] = Caller(open: sized.count)
            state.waiting += sized.map { Waiting(caller: id, entry: $0.entry, bytes: $0.bytes) }
            return id
        }
        while true {
            switch await turn(of: id) {
            case .ended(nil): return
            case .ended(let error?): throw error
            case .leads(let batch):
                let outcomes = await transmit(batch.map(\.entry))
                land(batch, outcomes, leader: id)
            }
        }
    }

    private func turn(of id: Int) async -> Turn {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                change { $0.callers[id]?.wake = continuation }
            }
        } onCancel: {
            change { state in
                let cancelled = PortError(.cancelled, "cancelled while waiting for a batch")
                if state.callers[id]?.error == nil { state.callers[id]?.error = cancelled }
            }
        }
    }

    private func land(_ batch: [Waiting], _ outcomes: [PortError?], leader: Int) {
        let isCancelled = Task.isCancelled
        change { state in
            state.flights -= 1
            var back: [Waiting] = []
            for (waiting, error) in zip(batch, outcomes) {
                // Somebody who gave up must not take the others' entries along.
                if error?.code == .cancelled, isCancelled, waiting.caller != leader {
                    if state.callers[waiting.caller] != nil { back.append(waiting) }
                } else if let error {
                    if state.callers[waiting.caller]?.error == nil { state.callers[waiting.caller]?.error = error }
                } else {
                    state.callers[waiting.caller]?.open -= 1
                }
            }
            state.waiting = back + state.waiting
        }
    }

    /// Changes the state, and wakes those for whom that decides something.
    private func change(_ body: (inout State) -> Void) {
        let wakes = state.withLock { state in
            body(&state)
            return ended(&state) + led(&state)
        }
        for wake in wakes { wake.continuation.resume(returning: wake.turn) }
    }

    private func ended(_ state: inout State) -> [Wake] {
        var wakes: [Wake] = []
        for (id, caller) in state.callers where caller.open == 0 || caller.error != nil {
            guard let continuation = caller.wake else { continue }
            wakes.append((continuation, .ended(caller.error)))
            state.callers[id] = nil
            if caller.error != nil { state.waiting.removeAll { $0.caller == id } }
        }
        return wakes
    }

    private func led(_ state: inout State) -> [Wake] {
        var wakes: [Wake] = []
        while state.flights < limits.flights {
            let leader = state.waiting.first { state.callers[$0.caller]?.wake != nil }?.caller
            guard let leader, let continuation = state.callers[leader]?.wake else { break }
            state.callers[leader]?.wake = nil
            state.flights += 1
            wakes.append((continuation, .leads(taken(&state.waiting))))
        }
        return wakes
    }

    /// The oldest entries, as many as fit.
    private func taken(_ waiting: inout [Waiting]) -> [Waiting] {
        var room = limits.bytes
        let batch = waiting.prefix(limits.entries).prefix { waiting in
            room -= waiting.bytes
            return room >= 0
        }
        let count = max(1, batch.count)
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}

/// Runs a call for each item, so many at a time, until one fails; the others are then cancelled.
func inParallel<Item: Sendable>(
    _ items: [Item],
    width: Int,
    _ run: @escaping @Sendable (Item) async -> PortError?
) async -> PortError? {
    await withTaskGroup(of: PortError?.self) { group in
        var rest = items[...]
        for item in rest.prefix(width) { group.addTask { await run(item) } }
        rest = rest.dropFirst(width)
        var first: PortError?
        for await error in group {
            if let error, first == nil {
                first = error
                group.cancelAll()
            }
            if first == nil, let item = rest.popFirst() { group.addTask { await run(item) } }
        }
        return first
    }
}
