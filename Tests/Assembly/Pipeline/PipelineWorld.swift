// The whole pipeline in one process: both stand-ins, a database in a folder of its own, and a worker whenever one is wanted.
import Foundation
import Logging
import ReindexPipeline
import SQLiteDriver
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

/// What a test sees of it.
struct PipelineWorld: Sendable {
    static let account = "shop"
    static let index = "products"

    let vespa: VespaStandIn
    let ecommerce: EcommerceStandIn
    let deployment: Deployment
    let products: [Product]

    /// What a test may want otherwise.
    struct Plan {
        var kind = IndexKind.semiStructured
        var declared: [String: FieldType] = [:]
        var ecommerce = EcommerceOptions()
        var engine = PipelineWorld.engine
        var requestTimeout: Duration = .seconds(20)
        /// Added to Vespa's URL.
        var visitParameters = ""
        /// Whether the index's record is there.
        var hasIndex = true
    }

    /// Short waits: nobody is spared by long ones here.
    private static var engine: EngineSettings {
        var engine = EngineSettings()
        engine.chunkRecordsMax = 10
        engine.deliveriesMax = 8
        engine.longPoll = .milliseconds(200)
        engine.settingsAge = .milliseconds(20)
        engine.confirmInterval = .milliseconds(50)
        engine.backoff = Backoff(initial: .milliseconds(5), maximum: .milliseconds(50))
        engine.tick = .milliseconds(50)
        engine.grace = .seconds(2)
        return engine
    }

    /// More worlds than this at once would only wait for each other.
    private static let turnstile = Turnstile(places: 10)

    /// Runs the body with everything up, and takes it down again.
    static func run(
        _ products: [Product] = Product.plain(40),
        _ change: (inout Plan) -> Void = { _ in },
        _ body: (PipelineWorld) async throws -> Void
    ) async throws {
        var plan = Plan()
        plan.ecommerce.key = "the-key"
        change(&plan)
        await turnstile.enter()
        do {
            try await run(products, plan, body)
        } catch {
            await turnstile.leave()
            throw error
        }
        await turnstile.leave()
    }

    private static func run(
        _ products: [Product],
        _ plan: Plan,
        _ body: (PipelineWorld) async throws -> Void
    ) async throws {
        let folder = NSTemporaryDirectory() + "sluice-pipeline-" + SystemRandomSource().hexadecimal(16)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") } }
        let vespa = VespaStandIn([
            VespaCorpus(
                namespace: index,
                schema: index,
                documents: products.map { ($0.vespaID, Array($0.fields.utf8)) }
            )
        ])
        let ecommerce = EcommerceStandIn(plan.ecommerce)
        try await withServer(vespa) { vespaURL async throws in
            try await withServer(ecommerce) { ecommerceURL async throws in
                var settings = Settings(folders: UserFolders(environment: [:]))
                settings.databasePath = folder + "/sluice.db"
                settings.durability = .normal
                settings.engine = plan.engine
                settings.requestTimeout = plan.requestTimeout
                settings.vespa.url = "vespa+\(vespaURL)/\(plan.visitParameters)"
                settings.ecommerce.url = "ecommerce+\(ecommerceURL)/api/v1"
                settings.ecommerce.apiKey = "the-key"
                let deployment = try await open(settings)
                let world = PipelineWorld(
                    vespa: vespa,
                    ecommerce: ecommerce,
                    deployment: deployment,
                    products: products
                )
                do {
                    if plan.hasIndex { try await world.setIndex(plan.kind, plan.declared) }
                    try await body(world)
                    // Where tables have to be made beforehand, they are made by this list.
                    let used = try #require(try await deployment.database?.diagnose().items.keys)
                    #expect(Set(used).isSubset(of: HouseTables.schemas.map(\.name)))
                } catch {
                    try await deployment.close()
                    throw error
                }
                try await deployment.close()
            }
        }
    }

    static func open(_ settings: Settings) async throws -> Deployment {
        try await Deployment.open(
            settings,
            makingIt: true,
            working: true,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func setIndex(_ kind: IndexKind, _ declared: [String: FieldType]) async throws {
        try await deployment.indexes.set(
            IndexDetails(
                systemAccountID: Self.account,
                indexName: Self.index,
                metadata: IndexDetails.Metadata(shopID: "s1"),
                kind: kind,
                fields: declared,
                now: deployment.context.clock.now
            )
        )
    }
}

/// Lets so many in at a time.
private actor Turnstile {
    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { places += 1 } else { waiting.removeFirst().resume() }
    }
}
