// A deployment on AWS, opened: DynamoDB, SQS and S3 in one account and region.
import AWSDriver
import Glibc
import HTTPDriver
import Logging
import SluiceCore
import SluiceEngine

/// The backend, and this process's place among its workers.
struct AWSPlatform: Platform {
    let aws: AWSBackend
    let owners: TableOwners

    func hasOtherWorkers() async -> Bool { await owners.othersAreLive() }

    /// DynamoDB removes what has expired by itself, and S3 what was abandoned.
    func keepHouse() async throws {}

    func accompanyWorker() async { await owners.run() }

    func close() async throws(PortError) {
        await owners.end()
        await aws.close()
    }
}

extension AWSBackend {
    convenience init(_ settings: Settings, environment: [String: String]) throws(PortError) {
        try self.init(
            settings.aws,
            environment: AWSEnvironment(variables: environment),
            http: HTTPOptions(aws: settings)
        )
    }
}

extension HTTPOptions {
    /// How the services are talked to.
    init(aws settings: Settings) {
        self.init()
        connectTimeout = settings.connectTimeout
        requestTimeout = settings.requestTimeout
        // A receive that waits hears nothing for 20 seconds.
        stallTimeout = max(settings.requestTimeout, .seconds(30))
        // Every delivery and every slice has a call under way at most, and every loop of a worker waits for something.
        let engine = settings.engine
        connectionsPerHost =
            engine.deliveriesMax + engine.slicesAtOnce + engine.confirmationsMax + connectionsOfLoops
    }
}

extension Settings {
    /// With the keys that AWS keeps, unless this process was given others.
    fileprivate func withKeys(from aws: AWSBackend) async throws(PortError) -> Settings {
        var settings = self
        for peer in [\Settings.vespa, \Settings.ecommerce] {
            guard let reference = settings[keyPath: peer].apiKeySecret, settings[keyPath: peer].apiKey == nil,
                settings[keyPath: peer].apiKeyFile == nil
            else { continue }
            settings[keyPath: peer].apiKey = try await aws.secret(reference)
        }
        return settings
    }
}

/// Receives that wait, heartbeats, looks at jobs, and parts of batches that travel side by side.
private let connectionsOfLoops = 32

extension Deployment {
    /// For people: on which machine, and as which process.
    private static func newOwner() -> OwnerID {
        var letters = [CChar](repeating: 0, count: 256)
        let isNamed = gethostname(&letters, letters.count - 1) == 0
        let name = letters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let host = isNamed ? String(decoding: name, as: UTF8.self) : "host"
        return OwnerID("\(host)-\(getpid())-\(SystemRandomSource().hexadecimal(12))")
    }

    static func openAWS(
        _ settings: Settings,
        environment: [String: String],
        working: Bool,
        logger: Logger
    ) async throws(PortError) -> Deployment {
        let aws = try AWSBackend(settings, environment: environment)
        do {
            let settings = try await settings.withKeys(from: aws)
            // The queues first: what is missing is told at once, and nobody is registered.
            let queues = try await aws.queues()
            let owners = try await TableOwners.open(
                own: newOwner(),
                tables: aws.tables,
                isOnlooker: !working,
                logger: logger
            )
            let backend = Backend(
                tables: aws.tables,
                queues: queues,
                objects: aws.objects,
                feed: aws.feed,
                owners: owners,
                atomic: nil
            )
            let context = EngineContext(
                backend: backend,
                parts: URLParts(owner: owners.own, settings: settings, logger: logger),
                settings: settings.engine,
                logger: logger
            )
            return Deployment(settings: settings, context: context, platform: AWSPlatform(aws: aws, owners: owners))
        } catch {
            await aws.close()
            throw error
        }
    }
}
