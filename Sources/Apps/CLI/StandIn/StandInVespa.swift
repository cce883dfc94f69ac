// Product documents to visit, in each form that Marqo keeps them in: `sluice stand-in vespa`.
import ArgumentParser
import SluiceCore
import SluiceStandIns

struct StandInVespa: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vespa",
        abstract: "Stand in for Vespa: document/v1 visits of made-up products.",
        discussion: """
            Holds an index for each kind, each with its share of the products: products-structured, products-unstructured \
            and products-semi-structured. The documents are made as they are visited, and are the same every time.
            """
    )

    @Option(help: "Products in all.")
    var documents = 100_000

    @Option(help: "Floats of each document's embedding; 0 for none.")
    var embeddings = 0

    @Flag(help: "Behave like a server before 8.593: no JSON Lines, and no more than 1024 documents a page.")
    var old = false

    @Flag(help: "Print the declared fields of products-structured as `sluice index set --field` takes them, and end.")
    var showFields = false

    @OptionGroup var options: StandInOptions

    func validate() throws {
        guard (0...100_000_000).contains(documents) else {
            throw ValidationError("documents must be 0 to 100000000, is \(documents)")
        }
        guard (0...4096).contains(embeddings) else { throw ValidationError("embeddings must be 0 to 4096") }
    }

    func run() async throws {
        if showFields {
            let fields = ProductCorpus(kind: .structured, seed: 0, count: 0).declared.sorted { $0.key < $1.key }
            for (name, type) in fields { StandardOutput.write("\(name)=\(type.rawValue)\n") }
            return
        }
        let kinds = IndexKind.allCases
        let corpora = kinds.enumerated().map { place, kind in
            let products = ProductCorpus(
                kind: kind,
                seed: options.seed,
                count: documents / kinds.count + (place < documents % kinds.count ? 1 : 0),
                floats: embeddings
            )
            // Named as Marqo names the schema of products-structured and its like.
            let schema = "marqo__products_01" + kind.rawValue.split(separator: "-").joined(separator: "_01")
            return VespaCorpus(
                namespace: schema,
                schema: schema,
                count: products.count,
                userID: { products.userID($0) },
                fields: { products.write($0, into: &$1) }
            )
        }
        let chance = VespaStandIn.Faults.Chance(rate: options.faultRate, faults: Self.faults, seed: options.seed)
        let standIn = VespaStandIn(
            corpora,
            version: old ? .old : .current,
            faults: VespaStandIn.Faults(chance: chance)
        )
        try await options.serve(
            StandInServer(standIn, port: options.port) { url in StandardOutput.write("\(url)\n") }
        )
    }

    /// All that a visit can meet and get over; heavier ones are commoner in a cluster under load.
    private static let faults: [(weight: Int, fault: VespaFault)] = [
        (4, .status(429)), (2, .status(429, retryAfter: "1")), (2, .status(503)), (1, .status(504)), (2, .status(500)),
        (2, .connection(.reset)), (2, .connection(.resetAfter(bytes: 20_000))), (2, .halfLine(afterBuckets: 2)),
        (2, .noLastContinuation(afterBuckets: 1)), (2, .message(afterBuckets: 1)), (1, .messageAlone), (2, .emptyPage),
        (1, .shortPage), (1, .longPage(buckets: 60)), (1, .repeatedToken), (1, .remarks),
        (1, .badLine(afterBuckets: 1)),
    ]
}
