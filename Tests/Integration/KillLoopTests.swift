// kill -9 at random moments, a hundred times and more: what is there at the end is exact.
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
            var killer = Killer(sandbox: sandbox, seed: plan.seed, workers: plan.workers)
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
