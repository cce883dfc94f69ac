// Calls of SQS and DynamoDB from several tasks at once.

import AWSDriver
import Glibc
import Meter
import SluiceCore

/// What a round of calls needed.
private struct Cost {
    static let rounds = 5
    let perCPUSecond: Double
    let perSecond: Double

    /// Rounds of calls after one to warm up.
    ///
    /// Each figure is the median of its rounds; what prepares a round is not in it.
    static func of(
        _ calls: Int,
        rounds: Int = rounds,
        preparing prepare: (@Sendable (Int) async throws -> Void)? = nil,
        _ call: @escaping @Sendable (Int) async throws -> Void
    ) async throws -> Cost {
        if let prepare { try await run(calls, prepare) }
        try await run(calls, call)
        var costs: [Cost] = []
        for _ in 0..<rounds {
            if let prepare { try await run(calls, prepare) }
            let (wall, cpu) = (seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID))
            try await run(calls, call)
            let used = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu
            costs.append(
                Cost(perCPUSecond: Double(calls) / used, perSecond: Double(calls) / (seconds(CLOCK_MONOTONIC) - wall))
            )
        }
        return Cost(
            perCPUSecond: costs.map(\.perCPUSecond).sorted()[rounds / 2],
            perSecond: costs.map(\.perSecond).sorted()[rounds / 2]
        )
    }

    private static func run(_ calls: Int, _ call: @escaping @Sendable (Int) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasksMax {
                group.addTask {
                    for number in stride(from: task, to: calls, by: tasksMax) { try await call(number) }
                }
            }
            try await group.waitForAll()
        }
    }

    private static func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    func report(_ work: String, of each: Double = 1) {
        aws.report(work, perCPUSecond: perCPUSecond * each, perSecond: perSecond * each)
    }
}

private let batch = Array(
    repeating: (body: String(repeating: "x", count: 256), delaySeconds: 0),
    count: SQS.batchMax
)

private func expectNone(_ failures: [SQS.Failure]) {
    precondition(failures.isEmpty, "entries failed: \(failures)")
}

func send(to url: String, calls: Int) async throws {
    let sqs = SQS(try client(.sqs, url, account: "AKIDEXAMPLE"))
    let queue = "\(url)/123456789012/work"
    try await Cost.of(calls) { _ in expectNone(try await sqs.send(batch, to: queue)) }
        .report("messages sent", of: Double(SQS.batchMax))
}

/// Rounds are fewer: the emulator takes its time.
func emulated(at url: String, calls: Int) async throws {
    let account = String(SystemRandomSource().next() % 900_000_000_000 + 100_000_000_000)
    let tables = DynamoDBTables(DynamoDB(try client(.dynamoDB, url, account: account)))
    let schema = TableSchema(name: "items", partitionKey: "pk", sortKey: "sk")
    try await tables.make(schema)
    try await Cost.of(calls, rounds: 3) { number in
        let changes = [
            AttributeChange.set("status", .string("in_progress")), .set("count", .int(Int64(number))),
            .set("updated_at", .string("2026-11-21T10:00:00.000Z")),
        ]
        try await tables.transact([TableAction(schema, ItemKey("job", "slice-\(number % 64)"), .update(changes))])
    }
    .report("UpdateItem on the emulator")

    let sqs = SQS(try client(.sqs, url, account: account))
    let queue = try await sqs.makeQueue("work", ["VisibilityTimeout": "600"])
    let fill: @Sendable (Int) async throws -> Void = { _ in expectNone(try await sqs.send(batch, to: queue)) }
    try await Cost.of(calls / 4, rounds: 3, preparing: fill) { _ in
        let messages = try await sqs.receive(from: queue, limit: SQS.batchMax, invisibleSeconds: 600, waitSeconds: 0)
        precondition(messages.count == SQS.batchMax, "received \(messages.count)")
        expectNone(try await sqs.delete(messages.map(\.receipt), from: queue))
    }
    .report("ReceiveMessage and DeleteMessageBatch on the emulator", of: 2)
}
