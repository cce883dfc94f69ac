// Random sequences of everything an operator, the system and chance do to jobs: each one reaches its end.
import Foundation
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Random sequences", .serialized)
    struct StateMachineTests {
        @Test(
            "of orders, kills and starts leave no job stranded and no book wrong",
            arguments: [1, 2, 3, 4] as [UInt64]
        )
        func sequence(seed: UInt64) async throws {
            var machine = try Machine(seed: seed)
            for _ in 0..<30 { try await machine.step() }
            try await machine.finish()
        }
    }
}

/// A few jobs, up to two workers, and a seed that decides what is done to them.
private struct Machine {
    private static let records = 1200
    private static let workersMax = 2
    private static let destinations = ["a.jsonl", "b.jsonl", "c.jsonl"]

    private let sandbox: Sandbox
    private let random: SeededRandomSource
    private let input: String
    private var workers: [SluiceProcess] = []
    /// What was done, for the report of a sequence that went wrong.
    private var history: [String] = []

    init(seed: UInt64) throws {
        sandbox = try Sandbox(["SLUICE_INFLIGHT_MAX": "200", "SLUICE_CHUNK_RECORDS_MAX": "20"])
        random = SeededRandomSource(seed: seed)
        input = try sandbox.makeRecords(Self.records)
    }

    private func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    mutating func step() async throws {
        workers.removeAll { $0.end != nil }
        switch below(12) {
        case 0, 1: try await create()
        case 2, 3: try await order("pause")
        case 4, 5: try await order("resume")
        case 6: if below(3) == 0 { try await order("cancel") }
        case 7: try await order("set", "--rate", ["200", "1000", "unlimited"][below(3)])
        case 8: try await end(SIGKILL)
        case 9: try await end(SIGTERM)
        default: try start()
        }
    }

    private mutating func create() async throws {
        let output = Self.destinations[below(Self.destinations.count)]
        let answer = try await sandbox.run(
            "reindex",
            "start",
            "--source",
            "file://\(input)",
            "--sink",
            "file://\(sandbox.path(output))",
            "--concurrency",
            "\(1 + below(6))",
            "--page-size",
            "40",
            "--rate",
            "400",
            "--overwrite"
        )
        note("create to \(output)", answer)
        // Refused is right as long as another job writes there.
        if answer.end != .exited(0) { expect(answer.errors.contains("holds"), answer.errors) }
    }

    private mutating func order(_ words: String...) async throws {
        let jobs = try await sandbox.jobs()
        guard !jobs.isEmpty else { return }
        let job = jobs[below(jobs.count)]
        let answer = try await sandbox.run(["job", words[0], job.id] + words.dropFirst())
        note("\(words.joined(separator: " ")) \(job.id), which was \(job.status)", answer)
        expect(answer.end == .exited(0) || answer.end == .exited(1) || answer.end == .exited(64), answer.errors)
        if answer.end != .exited(0) {
            expect(answer.errors.contains("can't become") || answer.errors.contains("at its end"), answer.errors)
        }
    }

    private mutating func start() throws {
        guard workers.count < Self.workersMax else { return }
        workers.append(try sandbox.start("worker"))
        history.append("start a worker")
    }

    private mutating func end(_ signal: CInt) async throws {
        guard !workers.isEmpty else { return }
        let worker = workers.remove(at: below(workers.count))
        worker.signal(signal)
        let end = try await worker.waitForEnd()
        history.append("signal \(signal) to a worker: \(end)")
        // A signal that comes before the program has begun to listen ends it by itself.
        let isRight = end == .exited(0) || end == .killed(by: signal)
        expect(isRight, worker.errors)
    }

    private mutating func note(_ what: String, _ answer: Sandbox.Answer) {
        history.append("\(what): \(answer.end)")
    }

    private func expect(_ isRight: Bool, _ what: String) {
        if !isRight { Issue.record("\(what)\n\(history.joined(separator: "\n"))") }
    }

    /// Resumes what is paused and lets workers finish; then looks at everything.
    mutating func finish() async throws {
        while !workers.isEmpty { try await end(SIGTERM) }
        if try await sandbox.jobs().isEmpty { try await create() }
        for job in try await sandbox.jobs() where !job.isFinal {
            // One that is pausing becomes paused only with a worker, so it is resumed after the first round.
            _ = try await sandbox.run("job", "set", job.id, "--rate", "unlimited")
        }
        for _ in 0..<3 {
            for job in try await sandbox.jobs() where job.status == "paused" {
                try await sandbox.succeed("job", "resume", job.id)
            }
            try await sandbox.workUntilIdle()
        }
        var names: Set = ["docs.jsonl"]
        for job in try await sandbox.jobs() {
            expect(job.isFinal, "not at its end: \(job)")
            expect(job.isBalanced, "not balanced: \(job)")
            expect(["completed", "cancelled"].contains(job.status), "\(job)")
            guard job.status == "completed", let sink = job.record["sink"]?.stringValue else { continue }
            let output = String(sink.dropFirst("file://".count))
            names.insert((output as NSString).lastPathComponent)
            expect(job.extracted == Self.records && job.completed == Self.records, "\(job)")
            try sandbox.expectSameRecords(output, as: input)
        }
        try sandbox.expectSoundDatabase()
        try sandbox.expectNoLeftovers(beside: Array(names))
    }
}
