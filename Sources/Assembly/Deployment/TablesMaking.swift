// Makes what a backend needs before the first job.
import AWSDriver
import Logging
package import SluiceCore
import SluiceEngine

/// What was seen to.
package struct MadeThing: Sendable, Hashable {
    /// Such as `table` or `queue`.
    package let kind: String
    package let name: String
}

/// The work of `sluice tables create`.
package enum TablesMaking {
    /// Makes what is not there yet; what is there already is left as it is, if it is as it should be.
    ///
    /// - Parameters:
    ///   - settings: of this process.
    ///   - environment: its variables.
    ///   - done: told of each thing as soon as it can be used.
    /// - Throws: `PortError`, and what was made before it stays.
    package static func run(
        _ settings: Settings,
        environment: [String: String],
        done: (MadeThing) -> Void
    ) async throws(PortError) {
        guard settings.backend == .aws else {
            // It makes its tables by itself, as they are needed.
            let path = Deployment.absolute(settings.databasePath)
            let logger = Logger(label: "sluice") { _ in SwiftLogNoOpLogHandler() }
            let deployment = try await Deployment.open(settings, makingIt: true, working: false, logger: logger)
            try await deployment.close()
            done(MadeThing(kind: "database", name: path))
            return
        }
        let aws = try AWSBackend(settings, environment: environment)
        do {
            try await aws.make(HouseTables.schemas, visibility: settings.engine.visibility) { made in
                done(MadeThing(kind: made.kind, name: made.name))
            }
        } catch {
            await aws.close()
            throw error
        }
        await aws.close()
    }
}
