// A shop's indexes that take documents and say later how they ended: `sluice stand-in ecommerce`.
import ArgumentParser
import Foundation
import SluiceCore
import SluiceStandIns

struct StandInEcommerce: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ecommerce",
        abstract: "Stand in for the Marqo Ecommerce API.",
        discussion: """
            The API lies under /api/v1. What it holds and has met lies under /stand-in: stats, and \
            indexes/INDEX/documents page by page. If SLUICE_ECOMMERCE_API_KEY is set, requests must show that key.
            """
    )

    @Option(help: "Milliseconds from taking documents to having processed them.")
    var processing = 200

    @Option(help: "Milliseconds that every request takes at least.")
    var latency = 0

    @Option(help: "What is kept of documents: documents, digests (64 bits for each id) or counts.")
    var keep = EcommerceHolding.documents

    @Option(help: "Requests at once beyond which it answers 429. (default: any number)")
    var capacity: Int?

    @OptionGroup var options: StandInOptions

    func validate() throws {
        guard (0...3_600_000).contains(processing), (0...60_000).contains(latency) else {
            throw ValidationError("processing must be 0 to 3600000 milliseconds, latency 0 to 60000")
        }
        if let capacity, capacity < 1 { throw ValidationError("capacity must be at least 1, is \(capacity)") }
    }

    func run() async throws {
        var behaviour = EcommerceOptions()
        behaviour.processing = .milliseconds(processing)
        behaviour.latency = .milliseconds(latency)
        behaviour.holding = keep.value
        behaviour.capacity.requestsAtOnce = capacity
        behaviour.key = ProcessInfo.processInfo.environment["SLUICE_ECOMMERCE_API_KEY"].flatMap {
            $0.isEmpty ? nil : $0
        }
        let chance = RequestFaults<EcommerceRequestKind, EcommerceFault>.Chance(
            rate: options.faultRate,
            faults: Self.faults,
            seed: options.seed
        )
        let standIn = EcommerceStandIn(behaviour, faults: RequestFaults(chance: chance))
        try await options.serve(
            StandInServer(standIn, port: options.port) { url in StandardOutput.write("\(url)\n") }
        )
    }

    /// All that a request can meet and get over.
    private static let faults: [(weight: Int, fault: EcommerceFault)] = [
        (4, .status(429)), (2, .status(429, retryAfter: .seconds(1))), (2, .status(500)), (2, .status(503)),
        (2, .before(.reset)), (2, .after(.reset)), (1, .unreadable("{")),
        (2, .job(.failsItems(every: 10, status: 429))),
        (1, .job(.fails)), (1, .job(.failsItems(every: 25, status: 500))),
    ]
}

enum EcommerceHolding: String, CaseIterable, ExpressibleByArgument {
    case documents, digests, counts

    var value: EcommerceOptions.Holding {
        switch self {
        case .documents: .documents
        case .digests: .digests
        case .counts: .counts
        }
    }
}
