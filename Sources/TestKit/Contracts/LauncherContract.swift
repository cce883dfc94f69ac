// What every launcher promises: the harness and the cases.
public import SluiceCore

/// The promises of `Launcher`.
///
/// Each case wants a fresh launcher that has started nothing.
public enum LauncherContract {
    /// The launcher under test, and what it has started.
    public struct Harness: Sendable {
        public let launcher: any Launcher
        /// The names of all launches whose extraction began, one for each beginning; waits until it is known.
        public let started: @Sendable () async throws -> [String]

        public init(launcher: any Launcher, started: @escaping @Sendable () async throws -> [String]) {
            self.launcher = launcher
            self.started = started
        }
    }

    public static let cases: [ContractCase<Harness>] = [
        ContractCase("a launch starts the extraction", starts),
        ContractCase("the same launch again starts nothing, and is a success", startsOnce),
        ContractCase("a launch of another number or job starts another extraction", differentLaunches),
        ContractCase("of many same launches at once, one starts it", oneOfMany),
    ]

    static func launch(_ digits: String = "0000000a", number: Int = 1) throws -> Launch {
        let id = try JobID("2026-11-21-10-02-03-\(digits)")
        return Launch(job: JobKey(systemAccountID: "account", indexName: "index", id: id), number: number)
    }

    static func starts(_ harness: Harness) async throws {
        try expect(try await harness.started(), equals: [], "what was started before")
        try expect(try await harness.launcher.launch(launch()), equals: true, "whether the launch started it")
        try expect(try await harness.started(), equals: ["2026-11-21-10-02-03-0000000a-1"], "what was started")
    }

    static func startsOnce(_ harness: Harness) async throws {
        for attempt in 1...3 {
            let started = try await harness.launcher.launch(launch())
            try expect(started, equals: attempt == 1, "whether attempt \(attempt) started it")
        }
        try expect(try await harness.started().count, equals: 1, "how often it was started")
    }

    static func differentLaunches(_ harness: Harness) async throws {
        let launches = try [launch(), launch(number: 2), launch("0000000b"), launch("0000000b", number: 2)]
        for launch in launches {
            try expect(try await harness.launcher.launch(launch), equals: true, "whether \(launch.name) was started")
        }
        try expect(try await harness.started().sorted(), equals: launches.map(\.name).sorted(), "what was started")
    }

    static func oneOfMany(_ harness: Harness) async throws {
        let launch = try launch()
        let count = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 {
                group.addTask { try await harness.launcher.launch(launch) }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        try expect(count, equals: 1, "how many of twenty launches started it")
        try expect(try await harness.started().count, equals: 1, "how often it was started")
    }
}
