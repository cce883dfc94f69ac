// Runs workers one atomic operation at a time, in an order that a seed decides, and lets faults strike between them.
import SluiceCore
import Synchronization

/// Each worker of a simulation is a task that stops before every operation on a port and waits to be picked.
///
/// Only one task runs at any moment, so a seed repeats a run exactly. Time stands still while anybody can run; when all
/// sleep, it moves to the first who is to wake.
final class Scheduler: Sendable {
    enum Fate: Sendable { case go, crash, stop }

    struct Options: Sendable {
        /// How often the next operation is another worker's than the one before, in percent.
        var switches = 30
        var crashes = 0
        var stops = 0
        var steps = 60_000
    }

    private struct Waiter {
        let actor: String
        let operation: String
        let wake: CheckedContinuation<Fate, Never>
    }

    private struct Sleeper {
        let actor: String
        let until: Timestamp
        let wake: CheckedContinuation<Fate, Never>
    }

    /// A write whose caller has gone on without its answer.
    private struct LateWrite {
        let name: String
        let step: Int
        let call: @Sendable () async throws(PortError) -> Void
    }

    private struct State {
        var running = 0
        var late: [LateWrite] = []
        var ready: [Waiter] = []
        var sleeping: [Sleeper] = []
        var stopped: [Waiter] = []
        var last = ""
        var steps = 0
        var crashesLeft: Int
        var stopsLeft: Int
        var isDraining = false
        var trace: [String] = []
    }

    private let state: Mutex<State>
    /// Apart from the state, for the observer reads it while the state is held.
    private let time = Mutex(Timestamp(milliseconds: 1_790_000_000_000))
    private let random: SeededRandomSource
    private let options: Options
    /// Whether anything was written since the observer looked last.
    private let isDirty = Atomic(true)
    /// Looks at the world after every operation; what it says ends the run.
    private let observe: Mutex<(@Sendable () -> String?)?> = Mutex(nil)
    private let broken: Mutex<String?> = Mutex(nil)

    @TaskLocal static var actor = ""

    init(seed: UInt64, options: Options) {
        random = SeededRandomSource(seed: seed)
        self.options = options
        state = Mutex(State(crashesLeft: options.crashes, stopsLeft: options.stops))
    }

    var now: Timestamp { time.withLock { $0 } }
    var verdict: String? { broken.withLock { $0 } }
    var trace: [String] { state.withLock(\.trace) }
    var isDraining: Bool { state.withLock(\.isDraining) }

    func watch(_ observer: @escaping @Sendable () -> String?) { observe.withLock { $0 = observer } }

    func say(_ text: String) { state.withLock { $0.trace.append("\(Self.actor): \(text)") } }

    func fail(_ text: String) { broken.withLock { $0 = $0 ?? text } }

    /// A choice of the run, the same for the same seed.
    func chance(_ percent: Int) -> Bool { Int(random.next() % 100) < percent }
    func pick(_ count: Int) -> Int { Int(random.next() % UInt64(max(1, count))) }

    /// No more faults from here on, stopped workers wake, and the world has to come to its end.
    func drain() {
        let stopped = state.withLock { state in
            state.isDraining = true
            defer { state.stopped = [] }
            state.ready += state.stopped
            return state.stopped.count
        }
        if stopped > 0 { say("\(stopped) stopped workers wake") }
    }

    func touch() { isDirty.store(true, ordering: .relaxed) }

    func begin() { state.withLock { $0.running += 1 } }

    func end() {
        let next = state.withLock { state in
            state.running -= 1
            return choose(&state)
        }
        next?.0.resume(returning: next?.1 ?? .go)
    }

    /// Waits for the turn to do one operation.
    func step(_ operation: String) async throws(PortError) {
        let actor = Self.actor
        let fate = await withCheckedContinuation { continuation in
            let next = state.withLock { state in
                state.ready.append(Waiter(actor: actor, operation: operation, wake: continuation))
                state.running -= 1
                return choose(&state)
            }
            next?.0.resume(returning: next?.1 ?? .go)
        }
        await applyLateWrites()
        if fate == .crash { throw PortError(.cancelled, "crashed") }
    }

    /// Lets a write come to pass between two operations, some steps from now.
    func apply(_ name: String, after steps: Int, _ call: @escaping @Sendable () async throws(PortError) -> Void) {
        state.withLock { $0.late.append(LateWrite(name: name, step: $0.steps + steps, call: call)) }
    }

    private func applyLateWrites() async {
        let due = state.withLock { state in
            let due = state.late.filter { $0.step <= state.steps }
            state.late.removeAll { $0.step <= state.steps }
            return due
        }
        for write in due {
            touch()
            do throws(PortError) {
                try await write.call()
                say("LATE \(write.name)")
            } catch {
                say("LATE \(write.name) is refused: \(error.code)")
            }
        }
    }

    func sleep(until deadline: Timestamp) async throws(PortError) {
        let actor = Self.actor
        let fate = await withCheckedContinuation { continuation in
            let next = state.withLock { state in
                state.sleeping.append(Sleeper(actor: actor, until: max(deadline, now), wake: continuation))
                state.running -= 1
                return choose(&state)
            }
            next?.0.resume(returning: next?.1 ?? .go)
        }
        if fate == .crash { throw PortError(.cancelled, "crashed") }
    }

    private typealias Turn = (CheckedContinuation<Fate, Never>, Fate)

    /// Who is next, once nobody runs.
    private func choose(_ state: inout State) -> Turn? {
        guard state.running == 0 else { return nil }
        if isDirty.exchange(false, ordering: .relaxed), let problem = observe.withLock({ $0 })?() {
            broken.withLock { $0 = $0 ?? problem }
        }
        state.steps += 1
        if state.steps > options.steps {
            broken.withLock { $0 = $0 ?? "no end after \(options.steps) steps" }
        }
        if broken.withLock({ $0 }) != nil { return crashAnyone(&state) }
        if state.ready.isEmpty { return wakeFirst(&state) }
        if !state.isDraining, state.stopped.count > 0, chance(3) {
            state.ready.append(state.stopped.removeFirst())
        }
        var index = state.ready.firstIndex { $0.actor == state.last } ?? pick(state.ready.count)
        if chance(options.switches) { index = pick(state.ready.count) }
        let waiter = state.ready.remove(at: index)
        state.last = waiter.actor
        if !state.isDraining, state.crashesLeft > 0, chance(1) {
            state.crashesLeft -= 1
            state.trace.append("\(waiter.actor): CRASH before \(waiter.operation)")
            state.running += 1
            return (waiter.wake, .crash)
        }
        if !state.isDraining, state.stopsLeft > 0, chance(1) {
            state.stopsLeft -= 1
            state.trace.append("\(waiter.actor): STOP before \(waiter.operation)")
            state.stopped.append(waiter)
            return choose(&state)
        }
        state.trace.append("\(waiter.actor): \(waiter.operation)")
        state.running += 1
        return (waiter.wake, .go)
    }

    private func wakeFirst(_ state: inout State) -> Turn? {
        guard let first = state.sleeping.indices.min(by: { state.sleeping[$0].until < state.sleeping[$1].until }) else {
            guard !state.stopped.isEmpty else { return nil }
            let waiter = state.stopped.removeFirst()
            state.running += 1
            return (waiter.wake, .go)
        }
        let sleeper = state.sleeping.remove(at: first)
        time.withLock { $0 = max($0, sleeper.until) }
        state.running += 1
        return (sleeper.wake, .go)
    }

    /// Ends a run that is broken: everybody crashes at the next operation.
    private func crashAnyone(_ state: inout State) -> Turn? {
        let wake = state.ready.popLast()?.wake ?? state.sleeping.popLast()?.wake ?? state.stopped.popLast()?.wake
        guard let wake else { return nil }
        state.running += 1
        return (wake, .crash)
    }
}

/// The clock of a simulation: sleeping is waiting for everybody else to sleep too.
struct SimulatedClock: Timekeeping {
    let scheduler: Scheduler

    var now: Timestamp { scheduler.now }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try await scheduler.sleep(until: deadline)
    }
}
