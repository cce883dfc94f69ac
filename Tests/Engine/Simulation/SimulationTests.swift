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
