// kill -9 at random moments, a hundred times and more: what is there at the end is exact.
import Glibc
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Killed at random moments", .serialized)
    struct KillLoopTests {
        /// Jobs one after the other on one database, until as many workers were killed as are to be.
        struct Plan: Sendable, CustomTestStringConvertible {
            var seed: UInt64
            var slices: Int
            var records = 3000
            var kills: Int
            var workers = 1
            var settings = ["SLUICE_INFLIGHT_MAX": "500", "SLUICE_CHUNK_RECORDS_MAX": "40"]

            var testDescription: String { "seed \(seed), \(slices) slices, \(workers) workers, \(kills) kills" }
        }

        static let plans = [
            Plan(seed: 1, slices: 4, kills: 25),
            Plan(seed: 2, slices: 8, kills: 25),
            // Everything is extracted before the first delivery is booked.
            Plan(seed: 3, slices: 6, kills: 20, settings: [:]),
            // Every chunk a booking of its own.
            Plan(seed: 4, slices: 8, records: 1500, kills: 10, settings: ["SLUICE_CHUNK_RECORDS_MAX": "5"]),
            Plan(seed: 5, slices: 4, kills: 15, workers: 2),
            Plan(seed: 6, slices: 8, kills: 15, workers: 2),
        ]

        @Test("kill -9 loses no record and doubles none, whenever it comes", arguments: plans)
        func killLoop(plan: Plan) async throws {
            let sandbox = try Sandbox(plan.settings)
            let input = try sandbox.makeRecords(plan.records, seed: plan.seed)
            var killer = Killer(sandbox: sandbox, plan: plan)
            var names = ["docs.jsonl"]
            repeat {
                names.append("out\(names.count).jsonl")
                let output = sandbox.path(names[names.count - 1])
                let id = try await sandbox.create(
                    from: input,
                    to: output,
                    slices: plan.slices,
                    "--page-size",
                    "100"
                )
                while killer.kills < plan.kills, try await !sandbox.job(id).isFinal {
                    try await killer.strike(id, output: output)
                    let job = try await sandbox.job(id)
                    #expect(job.isBalanced, "\(job)")
                }
                try await killer.letFinish()
                try await sandbox.expectExact(id, from: input, to: output, records: plan.records)
                try sandbox.expectSoundDatabase()
                try sandbox.expectNoLeftovers(beside: names)
            } while killer.kills < plan.kills
        }
    }
}

/// Starts workers and kills them.
private struct Killer {
    let sandbox: Sandbox
    let plan: RealProgram.KillLoopTests.Plan
    let random: SeededRandomSource
    private(set) var kills = 0
    private var workers: [SluiceProcess] = []

    init(sandbox: Sandbox, plan: RealProgram.KillLoopTests.Plan) {
        self.sandbox = sandbox
        self.plan = plan
        random = SeededRandomSource(seed: plan.seed)
    }

    private func below(_ bound: UInt64) -> UInt64 { random.next() % bound }

    /// Has all workers at work, waits for a moment that is worth it, and kills one of them or all.
    mutating func strike(_ id: String, output: String) async throws {
        let before = try await sandbox.job(id)
        while workers.count < plan.workers { workers.append(try sandbox.start("worker", "--until-idle")) }
        // Putting the output together takes a moment only.
        var latest: UInt64 = 150
        switch below(6) {
        case 0: break  // While it starts.
        case 1:
            try await waitForAssembly(output)
            latest = 8
        default: try await waitForProgress(id, since: before)
        }
        try await Task.sleep(for: .milliseconds(below(latest)))
        let victims = below(2) == 0 ? workers : [workers[Int(below(UInt64(workers.count)))]]
        for victim in victims { victim.signal(SIGKILL) }
        for victim in victims {
            let end = try await victim.waitForEnd()
            if end == .killed(by: SIGKILL) { kills += 1 } else { #expect(end == .exited(0), "\(victim.errors)") }
        }
        for worker in workers where worker.end != nil && !victims.contains(where: { $0 === worker }) {
            #expect(worker.end == .exited(0), "\(worker.errors)")
        }
        workers.removeAll { $0.end != nil }
    }

    private var isAnyoneThere: Bool { workers.contains { $0.end == nil } }

    private func waitForProgress(_ id: String, since before: ShownJob) async throws {
        try await eventually("progress of \(id)") {
            let job = try await sandbox.job(id)
            let hasMoved = job.extracted != before.extracted || job.completed != before.completed
            return hasMoved || job.isFinal || !isAnyoneThere ? () : nil
        }
    }

    private func waitForAssembly(_ output: String) async throws {
        try await eventually("the beginning of \(output)", every: .milliseconds(1)) {
            access(output + ".partial", F_OK) == 0 || access(output, F_OK) == 0 || !isAnyoneThere ? () : nil
        }
    }

    /// Lets the last worker do what is left.
    mutating func letFinish() async throws {
        if workers.isEmpty { workers.append(try sandbox.start("worker", "--until-idle")) }
        for worker in workers {
            let end = try await worker.waitForEnd(within: .seconds(120))
            #expect(end == .exited(0), "\(worker.errors)")
        }
        workers = []
    }
}
