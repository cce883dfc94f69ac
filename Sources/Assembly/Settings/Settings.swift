// Everything that can be configured, as plain values.
package import AWSDriver
package import Logging
package import SQLiteDriver
package import SluiceEngine

/// The settings of one process, read once at the edge.
package struct Settings: Sendable {
    /// How log lines look on standard error.
    package enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }

    /// Where jobs, queues and books are kept.
    package enum BackendChoice: String, Sendable, CaseIterable {
        case embedded, aws
    }

    package var backend: BackendChoice
    package var aws = AWSPlace()
    package var databasePath: String
    package var durability = SQLiteOptions.Durability.full
    package var busyWait: Duration = .seconds(60)
    package var logLevel = Logger.Level.notice
    package var logFormat = LogFormat.text
    package var engine = EngineSettings()
    /// What a reindex takes for options that it does not name.
    package var reindex = ReindexDefaults()
    package var vespa = PeerSettings()
    package var ecommerce = PeerSettings()
    package var kubernetes = KubernetesSettings()
    /// How long making a connection may take.
    package var connectTimeout: Duration = .seconds(10)
    /// How long a service may take for one answer.
    package var requestTimeout: Duration = .seconds(60)

    /// The defaults; some depend on the backend.
    package init(folders: UserFolders, backend: BackendChoice = .embedded) {
        self.backend = backend
        databasePath = folders.database
        guard backend == .aws else { return }
        // Each look is calls that cost. Receipts the source system looked at once a minute; and what a tick finds, such as
        // a new job or the end of one, is told by the change feed and by bookings in most cases.
        engine.confirmInterval = .seconds(60)
        engine.tick = .seconds(5)
    }
}

/// What jobs get that say nothing else.
package struct ReindexDefaults: Sendable, Hashable {
    package var concurrency = 8
    package var pageSize = 1500
    /// Records a second; nil is unlimited.
    package var rate: Double?
    /// Such as `1%` or `500`; nil is off.
    package var failureBudget: String?

    package init() {}
}

/// A setting that can't be used, and what to do about it.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// The key, or the file or option that holds it.
    package let key: String
    package let problem: String

    package init(_ key: String, _ problem: String) {
        self.key = key
        self.problem = problem
    }

    package var description: String { "\(key): \(problem)" }
}
