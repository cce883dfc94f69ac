// What is done now and then by one of all those who work on a backend.
import Logging
import SluiceCore

/// The slow work, each part as often as it is due.
struct HouseRounds: Sendable {
    private let context: EngineContext
    private let schedule: any Schedule
    private let housekeeper: Housekeeper
    private let intake: (any JobIntake)?
    private let upkeep: @Sendable () async throws -> Void

    init(
        _ context: EngineContext,
        schedule: any Schedule,
        housekeeper: Housekeeper,
        intake: (any JobIntake)?,
        upkeep: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.context = context
        self.schedule = schedule
        self.housekeeper = housekeeper
        self.intake = intake
        self.upkeep = upkeep
    }

    /// How often somebody should go.
    static let interval: Duration = .seconds(5)
    /// How many messages one round takes out of the dead-letter queues, in tens.
    private static let tensMax = 50

    /// Does what is due; what fails is due again later.
    func go() async {
        await tick("dead-letter-queues", every: Self.interval) {
            for _ in 0..<Self.tensMax {
                guard try await housekeeper.emptyDeadLetterQueues() > 0 else { return }
            }
        }
        await tick("repair", every: .seconds(60)) { try await housekeeper.repairStuck() }
        await tick("upkeep", every: .seconds(300)) { try await upkeep() }
        await tick("payload-sweep", every: .seconds(600)) { try await housekeeper.sweepPayloads() }
        if let intake {
            await tick("intake", every: .seconds(600)) {
                try await JobAdoption(context: context, intake: intake).adoptAll()
            }
        }
        await tick("retention", every: .seconds(3600)) { _ = try await housekeeper.sealOld() }
    }

    private func tick(_ name: String, every interval: Duration, _ work: () async throws -> Void) async {
        do {
            if try await schedule.isDue(name, every: interval) { try await work() }
        } catch {
            context.logger.warning(
                "housekeeping failed; trying again",
                metadata: ["work": "\(name)", "error": "\(error)"]
            )
        }
    }
}
