// What every schedule promises: the harness and the cases.
public import SluiceCore

/// The promises of `Schedule`.
///
/// Each case wants a fresh schedule that nobody has asked.
public enum ScheduleContract {
    /// One schedule as two processes see it, and its time.
    public struct Harness: Sendable {
        public let schedule: any Schedule
        /// The same schedule, asked by another process.
        public let other: any Schedule
        public let time: ContractTime

        public init(schedule: any Schedule, other: any Schedule, time: ContractTime) {
            self.schedule = schedule
            self.other = other
            self.time = time
        }

        /// Whether either process is to do it; asks both.
        func due(_ name: String, every seconds: Int) async throws -> [Bool] {
            try await [
                schedule.isDue(name, every: .seconds(seconds)), other.isDue(name, every: .seconds(seconds)),
            ]
        }
    }

    public static let cases: [ContractCase<Harness>] = [
        ContractCase("work is due at once when nobody has done it yet, for one caller", firstTime),
        ContractCase("work is due again when its interval has passed, not before", everyInterval),
        ContractCase("whoever asks next gets it, not only who had it last", changesHands),
        ContractCase("intervals in which nobody asked are not made up for", noCatchingUp),
        ContractCase("works of different names do not hinder each other", names),
        ContractCase("of many callers at once, one gets it", oneOfMany),
        ContractCase("an interval shorter than the last counts from when the work was last due", changedInterval),
    ]

    static func firstTime(_ harness: Harness) async throws {
        try expect(try await harness.due("a", every: 60), equals: [true, false], "who is to do it")
        try expect(try await harness.due("a", every: 60), equals: [false, false], "who is to do it again")
    }

    static func everyInterval(_ harness: Harness) async throws {
        _ = try await harness.due("a", every: 60)
        for _ in 0..<3 {
            try await harness.time.advance(by: .seconds(59))
            try expect(try await harness.due("a", every: 60), equals: [false, false], "a second is left")
            try await harness.time.advance(by: .seconds(1))
            try expect(try await harness.due("a", every: 60), equals: [true, false], "the interval has passed")
        }
    }

    static func changesHands(_ harness: Harness) async throws {
        try expect(try await harness.schedule.isDue("a", every: .seconds(60)), equals: true, "the first process")
        try await harness.time.advance(by: .seconds(60))
        try expect(try await harness.other.isDue("a", every: .seconds(60)), equals: true, "the other process")
        try expect(try await harness.schedule.isDue("a", every: .seconds(60)), equals: false, "the first process again")
    }

    static func noCatchingUp(_ harness: Harness) async throws {
        _ = try await harness.due("a", every: 60)
        try await harness.time.advance(by: .seconds(6000))
        try expect(try await harness.due("a", every: 60), equals: [true, false], "after a hundred intervals")
        try await harness.time.advance(by: .seconds(59))
        try expect(try await harness.due("a", every: 60), equals: [false, false], "a second is left")
    }

    static func names(_ harness: Harness) async throws {
        try expect(try await harness.due("a", every: 60), equals: [true, false], "a")
        try expect(try await harness.due("b", every: 10), equals: [true, false], "b")
        try await harness.time.advance(by: .seconds(10))
        try expect(try await harness.due("a", every: 60), equals: [false, false], "a after 10 s")
        try expect(try await harness.due("b", every: 10), equals: [true, false], "b after 10 s")
    }

    static func oneOfMany(_ harness: Harness) async throws {
        for round in 1...3 {
            let due = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let schedule = number % 2 == 0 ? harness.schedule : harness.other
                        return try await schedule.isDue("a", every: .seconds(60))
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            try expect(due, equals: 1, "how many of twenty callers were to do it in round \(round)")
            try await harness.time.advance(by: .seconds(60))
        }
    }

    static func changedInterval(_ harness: Harness) async throws {
        _ = try await harness.due("a", every: 600)
        try await harness.time.advance(by: .seconds(30))
        try expect(try await harness.due("a", every: 30), equals: [true, false], "an interval made shorter")
        try await harness.time.advance(by: .seconds(30))
        try expect(try await harness.due("a", every: 600), equals: [false, false], "an interval made longer")
    }
}
