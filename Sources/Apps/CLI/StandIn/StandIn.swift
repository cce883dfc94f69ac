// The noun `stand-in`: peers for demos and tests, which behave like the real ones and fail on cue.
import ArgumentParser
import Logging
import ServiceLifecycle
import SluiceStandIns
import UnixSignals

struct StandInCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stand-in",
        abstract: "Run a stand-in of a service, for demos and tests.",
        discussion: """
            Serves on the loopback interface until it is told to stop, and prints its URL once it answers. It stands in for a \
            protocol, not for a real service's speed or storage.
            """,
        subcommands: [StandInVespa.self, StandInEcommerce.self, StandInKubernetes.self]
    )
}

/// What every stand-in can be told.
struct StandInOptions: ParsableArguments {
    @Option(help: "The port; 0 for any free one.")
    var port = 0

    @Option(help: "The share of requests that go wrong, 0 to 1, each in one of the ways of the contract.")
    var faultRate = 0.0

    @Option(help: "What chance begins with; the same seed meets the same faults.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (0...65_535).contains(port) else { throw ValidationError("port must be 0 to 65535, is \(port)") }
        guard (0...1).contains(faultRate) else { throw ValidationError("fault-rate must be 0 to 1, is \(faultRate)") }
    }

    /// Serves until SIGTERM or SIGINT.
    func serve<Service: ServiceLifecycle.Service>(_ server: Service) async throws {
        let group = ServiceGroup(
            services: [server],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: StandInLog.quiet
        )
        try await group.run()
    }
}
