// The embedded default, opened: one SQLite file and its objects beside it.
import FilesDriver
import Glibc
import Logging
package import SQLiteDriver
import SluiceCore
import SluiceEngine

/// The file, as a deployment uses it beside its ports.
struct EmbeddedPlatform: Platform {
    let database: SQLiteBackend

    func hasOtherWorkers() async -> Bool { database.owners.hasOtherWorkers() }
    func keepHouse() async throws { _ = try await database.keepHouse() }
    /// A lock that the kernel keeps says that this process is there.
    func accompanyWorker() async {}

    func close() async throws(PortError) { try await database.close() }
}

extension Deployment {
    static func openEmbedded(
        _ settings: Settings,
        makingIt: Bool,
        working: Bool,
        logger: Logger
    ) async throws(PortError) -> Deployment {
        for (name, peer) in [("vespa", settings.vespa), ("ecommerce", settings.ecommerce)] {
            guard peer.apiKeySecret == nil else {
                let key = "\(name).api-key"
                throw PortError(.invalidRequest, "\(key)-secret: AWS is asked with --backend aws only; set \(key)-file")
            }
        }
        let path = absolute(settings.databasePath)
        guard makingIt || isThere(path) else {
            throw PortError(
                .notFound,
                "there is no database at \(path); `sluice reindex start` makes one, --database or SLUICE_DATABASE names another"
            )
        }
        let database = try await SQLiteBackend.open(
            SQLiteOptions(
                path: path,
                durability: settings.durability,
                busyWait: settings.busyWait,
                isOnlooker: !working
            )
        )
        do {
            let objects = try FileObjectStore(root: path + ".objects")
            let context = EngineContext(
                backend: try database.backend(objects: objects),
                parts: URLParts(owner: database.owners.own, settings: settings, logger: logger),
                settings: settings.engine,
                logger: logger
            )
            return Deployment(settings: settings, context: context, platform: EmbeddedPlatform(database: database))
        } catch {
            try await database.close()
            throw error
        }
    }

    /// The SQLite file, if that is the backend.
    package var database: SQLiteBackend? { (platform as? EmbeddedPlatform)?.database }

    /// An empty file is a database that nobody has made yet.
    private static func isThere(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_size > 0
    }

    /// A path that stays right whatever becomes of the working folder.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let here = getcwd(nil, 0) else { return path }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}
