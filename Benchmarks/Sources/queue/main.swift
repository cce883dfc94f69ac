// Measures the SQLite queue through its port: messages a second, and CPU microseconds of the process for each message.

// Usage: queue BYTES MESSAGES BATCH [full|normal] [TASKS=1]; the folder is made under $BENCH_DIR or /tmp.
import Foundation
import SQLiteDriver
import SluiceCore

/// What one side needed to move the messages.
struct Cost {
    let rate: Double
    let microseconds: Double

    static func of(_ messages: Int, _ work: () async throws -> Void) async rethrows -> Cost {
        let (wall, cpu) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
        try await work()
        let used = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu
        return Cost(
            rate: Double(messages) / (seconds(CLOCK_MONOTONIC) - wall),
            microseconds: used * 1e6 / Double(messages)
        )
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    func report(_ side: String, _ work: String) {
        print(
            #"{"side": "\#(side)", "work": "\#(work)", "rate": \#(Int(rate)), "cpuMicroseconds": "#
                + String(format: "%.2f", microseconds) + "}"
        )
    }
}

let arguments = CommandLine.arguments.dropFirst()
let numbers = arguments.compactMap { Int($0) }
guard numbers.count >= 3 else {
    print("usage: queue BYTES MESSAGES BATCH [full|normal] [TASKS=1]")
    exit(64)
}
let (bytes, messages, batch) = (numbers[0], numbers[1], numbers[2])
let tasks = numbers.count > 3 ? numbers[3] : 1
let durability: SQLiteOptions.Durability = arguments.contains("normal") ? .normal : .full

let folder = (ProcessInfo.processInfo.environment["BENCH_DIR"] ?? "/tmp") + "/sluice-queue-\(getpid())"
let backend = try await SQLiteBackend.open(
    SQLiteOptions(path: folder + "/q.db", durability: durability, queues: [QueueSetup(name: "work")])
)
guard let queue = backend.queue("work") else { fatalError("opened with the queue work") }
let body = [UInt8](repeating: 120, count: bytes)

let sent = try await Cost.of(messages) {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<tasks {
            group.addTask {
                for _ in 0..<(messages / batch / tasks) {
                    try await queue.send(Array(repeating: OutgoingMessage(body: body), count: batch))
                }
            }
        }
        try await group.waitForAll()
    }
}
var received = 0
let drained = try await Cost.of(messages) {
    received = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<tasks {
            group.addTask {
                var count = 0
                while true {
                    let found = try await queue.receive(limit: batch, invisible: .seconds(30), wait: .zero)
                    if found.isEmpty { return count }
                    try await queue.delete(found.map(\.receipt))
                    count += found.count
                }
            }
        }
        var total = 0
        for try await count in group { total += count }
        return total
    }
}
precondition(received == messages / batch / tasks * batch * tasks, "received \(received) of \(messages)")
let label = "\(bytes) B, batch \(batch), \(durability.rawValue)" + (tasks > 1 ? ", \(tasks) tasks" : "")
sent.report("sluice", "send \(label)")
drained.report("sluice", "receive and delete \(label)")
try await backend.close()
try FileManager.default.removeItem(atPath: folder)
