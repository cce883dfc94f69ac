// Works in this process until something has come about, or a signal ends it.
import Glibc
import SluiceEngine
import UnixSignals

/// Runs a worker beside something that is waited for.
///
/// The first SIGTERM or SIGINT stops at the next checkpoint; a second one ends the process at once, which loses nothing
/// but the time to do the last page again.
struct WorkerRun {
    let worker: Worker

    private enum Event {
        case reached(Bool)
        case workerEnded
        case signalsEnded
    }

    /// Works until `wish` returns, and ends at checkpoints; false if a signal came first, or the wish says so.
    func run(until wish: @escaping @Sendable () async throws -> Bool) async throws -> Bool {
        let worker = worker
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        return try await withThrowingTaskGroup(of: Event.self) { group in
            group.addTask {
                try await worker.run()
                return .workerEnded
            }
            group.addTask {
                .reached(try await wish())
            }
            group.addTask {
                await Self.heed(signals, worker)
                return .signalsEnded
            }
            defer { group.cancelAll() }
            var isReached = false
            while let event = try await group.next() {
                switch event {
                case .reached(let answer):
                    isReached = answer
                    worker.stop.stop()
                case .workerEnded: return isReached
                case .signalsEnded: break
                }
            }
            return isReached
        }
    }

    private static func heed(_ signals: UnixSignalsSequence, _ worker: Worker) async {
        for await signal in signals {
            guard !worker.stop.isStopping else { _exit(ExitStatus.interrupted.rawValue) }
            StandardError.write("sluice: \(signal): stopping at the next checkpoint; once more stops at once\n")
            worker.stop.stop()
        }
    }
}
