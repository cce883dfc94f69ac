// Starts workers and kills them, at moments that are worth it.
import Glibc
import SluiceCore
import Testing

/// How a reindex is to be killed.
struct KillPlan: Sendable, CustomTestStringConvertible {
    var seed: UInt64
    var kills: Int
    var workers = 1
    var settings: [String: String] = [:]

    var testDescription: String { "seed \(seed), \(workers) workers, \(kills) kills" }
}

extension Sandbox {
    /// Reindexes one index of the stand-in after the other, until as many workers were killed as are to be; each of
    /// them arrives whole.
    func survive(_ plan: KillPlan, _ services: Services, documents: Int) async throws {
        var killer = Killer(sandbox: self, seed: plan.seed, workers: plan.workers)
        var round = 0
        repeat {
            let kind = IndexKind.allCases[round % IndexKind.allCases.count]
            let index = "target-\(round)"
            let id = try await reindex(kind, to: index, "--concurrency", "4", "--page-size", "100")
            while killer.kills < plan.kills, try await !job(id).isFinal {
                try await killer.strike(id)
                let job = try await job(id)
                #expect(job.isBalanced, "\(job)")
            }
            try await killer.letFinish()
            try await expectArrived(id, services, index: index, documents: documents)
            round += 1
        } while killer.kills < plan.kills
    }
}

/// Starts workers and kills them.
struct Killer {
    let sandbox: Sandbox
    /// How many are at work at once.
    let workers: Int
    let random: SeededRandomSource
    private(set) var kills = 0
    private var running: [SluiceProcess] = []

    init(sandbox: Sandbox, seed: UInt64, workers: Int) {
        self.sandbox = sandbox
        self.workers = workers
        random = SeededRandomSource(seed: seed)
    }

    private func below(_ bound: UInt64) -> UInt64 { random.next() % bound }

    /// Has all workers at work, waits for a moment that is worth it, and kills one of them or all.
    mutating func strike(_ id: String, output: String? = nil) async throws {
        let before = try await sandbox.job(id)
        while running.count < workers { running.append(try sandbox.start("worker", "--until-idle")) }
        // Putting the output together takes a moment only.
        var latest: UInt64 = 150
        switch below(6) {
        case 0: break  // While it starts.
        case 1 where output != nil:
            try await waitForAssembly(output ?? "")
            latest = 8
        default: try await waitForProgress(id, since: before)
        }
        try await Task.sleep(for: .milliseconds(below(latest)))
        let victims = below(2) == 0 ? running : [running[Int(below(UInt64(running.count)))]]
        for victim in victims { victim.signal(SIGKILL) }
        for victim in victims {
            let end = try await victim.waitForEnd()
            if end == .killed(by: SIGKILL) { kills += 1 } else { #expect(end == .exited(0), "\(victim.errors)") }
        }
        for worker in running where worker.end != nil && !victims.contains(where: { $0 === worker }) {
            #expect(worker.end == .exited(0), "\(worker.errors)")
        }
        running.removeAll { $0.end != nil }
    }

    private var isAnyoneThere: Bool { running.contains { $0.end == nil } }

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
        if running.isEmpty { running.append(try sandbox.start("worker", "--until-idle")) }
        for worker in running {
            let end = try await worker.waitForEnd(within: .seconds(120))
            #expect(end == .exited(0), "\(worker.errors)")
        }
        running = []
    }
}
