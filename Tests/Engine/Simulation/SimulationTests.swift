// The books under every fault at once, in many seeds.
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("The books, simulated")
struct SimulationTests {
    static let seedsEach: UInt64 = 10

    @Test(
        "hold under crashes, stops, lost answers, duplicates and conflicts",
        arguments: WorldSettings.Sink.allCases,
        [false, true]
    )
    func faults(sink: WorldSettings.Sink, isAtomic: Bool) async throws {
        for seed in 1...Self.seedsEach {
            var settings = WorldSettings(seed: seed)
            settings.sink = sink
            settings.isAtomic = isAtomic
            try await check(settings)
        }
    }

    @Test(
        "hold when an operator pauses or cancels in the middle",
        arguments: WorldSettings.Sink.allCases,
        [WorldSettings.Intervention.pause, .cancel]
    )
    func interventions(sink: WorldSettings.Sink, intervention: WorldSettings.Intervention) async throws {
        for seed in 1...Self.seedsEach {
            var settings = WorldSettings(seed: seed &+ 1000)
            settings.sink = sink
            settings.isAtomic = seed % 2 == 0
            settings.intervention = intervention
            try await check(settings)
        }
    }

    @Test("find out an engine that leaves out one of their rules", arguments: Mutant.allCases)
    func mutants(mutant: Mutant) async throws {
        var seed: UInt64 = 0
        var problem: String?
        while problem == nil, seed < Self.mutantSeedsMax {
            seed += 1
            problem = try await Simulation(Self.harsh(seed, mutant)).run()
        }
        #expect(problem != nil, "\(mutant) went unnoticed in \(seed) worlds")
    }

    @Test("find nothing in the same worlds with an engine that keeps them all")
    func noMutant() async throws {
        for seed in 1...3 * Self.seedsEach { try await check(Self.harsh(seed, nil)) }
    }

    /// A world in which much comes twice and workers get in each other's way.
    private static func harsh(_ seed: UInt64, _ mutant: Mutant?) -> WorldSettings {
        var settings = WorldSettings(seed: seed)
        settings.sink = WorldSettings.Sink.allCases[Int(seed % 3)]
        settings.mutant = mutant
        settings.crashes = 4
        settings.stops = 3
        settings.switches = 70
        settings.rates = FaultRates(lostAnswers: 10, conflicts: 2, duplicates: 60)
        return settings
    }

    /// Most are found within a hundred; each costs a fraction of a second.
    ///
    /// Dictionaries are in another order in each process, and the worlds with them.
    static let mutantSeedsMax: UInt64 = 2000

    private func check(_ settings: WorldSettings) async throws {
        let simulation = try await Simulation(settings)
        if let problem = await simulation.run() {
            let trace = simulation.scheduler.trace.filter { !$0.hasPrefix("extractor") || $0.contains("ends") }.suffix(
                60
            ).joined(separator: "\n")
            Issue.record(
                "seed \(settings.seed), \(settings.sink), atomic \(settings.isAtomic), \(settings.intervention): \(problem)\n\(trace)"
            )
        }
    }
}
