// What every command can be told: which backend, which configuration, how much log.
import ArgumentParser
import Foundation
import Logging
import SluiceAssembly

struct CommonOptions: ParsableArguments {
    @Option(help: "Where jobs, queues and books are kept: embedded or aws. (default: $SLUICE_BACKEND, else embedded)")
    var backend: String?

    @Option(
        help: "The SQLite file. (default: $SLUICE_DATABASE, else $XDG_DATA_HOME/sluice/sluice.db)",
        completion: .file()
    )
    var database: String?

    @Option(
        help: "The configuration file. (default: $SLUICE_CONFIG, else $XDG_CONFIG_HOME/sluice/config.yaml)",
        completion: .file()
    )
    var config: String?

    @Option(help: "The least level that is logged: \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")).")
    var logLevel: String?

    @Option(
        name: .customLong("set"),
        help: "Any other setting, such as inflight.max=500; may be repeated. `sluice config show` lists all."
    )
    var setting: [String] = []

    /// The settings that hold for this command.
    ///
    /// - Throws: `ConfigurationError`.
    func settings() async throws -> EffectiveSettings {
        var values: [String: String] = [:]
        for text in setting {
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                throw ConfigurationError("set", "\"\(text)\" is not of the form key=value")
            }
            values[String(text[..<sign])] = String(text[text.index(after: sign)...])
        }
        if let backend { values["backend"] = backend }
        if let database { values["database.path"] = database }
        if let logLevel { values["log.level"] = logLevel }
        return try await EffectiveSettings.read(
            commandLine: values,
            environment: environment,
            file: config
        )
    }

    var environment: [String: String] { ProcessInfo.processInfo.environment }

    static func logger(_ settings: Settings) -> Logger {
        Logger(label: "sluice") { _ in StandardErrorLog(level: settings.logLevel, format: settings.logFormat) }
    }

    /// Opens the backend, does something with it, and closes it, whatever came of it.
    ///
    /// A database file that isn't there is made only if `makingIt`; a worker says `working`.
    func withDeployment<Answer>(
        makingIt: Bool = false,
        working: Bool = false,
        _ body: (Deployment) async throws -> Answer
    ) async throws -> Answer {
        let settings = try await settings().settings
        let deployment = try await Deployment.open(
            settings,
            environment: environment,
            makingIt: makingIt,
            working: working,
            logger: Self.logger(settings)
        )
        do {
            let answer = try await body(deployment)
            try await deployment.close()
            return answer
        } catch {
            try await deployment.close()
            throw error
        }
    }
}
