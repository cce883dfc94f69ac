// Works in this process until something has come about, or a signal ends it.
import Glibc
import SluiceEngine
import UnixSignals

/// Runs a worker beside something that is waited for.
///
/// The first SIGTERM or SIGINT stops at the next checkpoint; a second one ends the process at once, which loses nothing
/// but the time to do the last page again.
struct WorkerRun {
    private let stop: StopSignal
    private let work: @Sendable () async throws -> Void

    init(worker: Worker) {
        self.init(stop: worker.stop) { try await worker.run() }
    }

    /// Anything else that works until it is done, or `stop` asks it to end.
    init(stop: StopSignal, work: @escaping @Sendable () async throws -> Void) {
        self.stop = stop
        self.work = work
    }

    private enum Event {
        case reached(Bool)
        case workerEnded
        case signalsEnded
    }

    /// Works until `wish` returns, and ends at checkpoints; false if a signal came first, or the wish says so.
    func run(until wish: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
        let (stop, work) = (stop, work)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask {
                try await work()
                return .workerEnded
            }
            group.addTask {
                .reached(try await wish())
            }
            group.addTask {
                await Self.heed(signals, stop)
                return .signalsEnded
            }
            defer { group.cancelAll() }
            var isReached = false
            while let event = try await group.next() {
                switch event {
                case .reached(let answer):
                    isReached = answer
                    stop.stop()
                case .workerEnded: return isReached
                case .signalsEnded: break
                }
            }
            return isReached
        }
    }

    private static func heed(_ signals: UnixSignalsSequence, _ stop: StopSignal) async {
        for await signal in signals {
            guard !stop.isStopping else { _exit(ExitStatus.interrupted.rawValue) }
            StandardError.write("sluice: \(signal): stopping at the next checkpoint; once more stops at once\n")
            stop.stop()
        }
    }
}
