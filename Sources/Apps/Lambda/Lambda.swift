// The program `sluice-lambda`: a `bootstrap` for Lambda whose function is chosen by `_HANDLER`.
import AWSDriver
import Glibc
import LambdaDriver
import Logging
import SluiceAssembly
import SluiceCore
import UnixSignals

/// Starts, takes invocations until the platform ends it, and says goodbye.
@main
enum SluiceLambda {
    static func main() async {
        let environment = variables()
        do {
            let runtime = try LambdaRuntime(address: environment["AWS_LAMBDA_RUNTIME_API"] ?? "")
            let (deployment, handlers) = try await start(runtime, environment)
            try await run(runtime, handlers)
            try await deployment.close()
            await runtime.shutdown()
        } catch {
            StandardErrorLog.writeToStandardError(Array("sluice-lambda: \(error)\n".utf8))
            exit(1)
        }
    }

    /// - Throws: what kept it from starting, which the platform was told first.
    private static func start(
        _ runtime: LambdaRuntime,
        _ environment: [String: String]
    ) async throws -> (Deployment, Handlers) {
        do {
            let function = try Function(environment: environment)
            let deployment = try await open(function, environment)
            return (deployment, try await Handlers(function, deployment, environment: environment))
        } catch {
            let failure = error as? LambdaFailure ?? LambdaFailure("Sluice.Configuration", "\(error)")
            do {
                try await runtime.failStart(failure)
            } catch {
                throw LambdaFailure(failure.type, "\(failure.message); nor could that be told: \(error.message)")
            }
            throw failure
        }
    }

    /// Whoever delivers shares in jobs' rates with all others that do.
    private static func open(_ function: Function, _ environment: [String: String]) async throws -> Deployment {
        var environment = environment
        environment["SLUICE_BACKEND"] = environment["SLUICE_BACKEND"] ?? Settings.BackendChoice.aws.rawValue
        let settings = try await EffectiveSettings.read(commandLine: [:], environment: environment, file: nil).settings
        return try await Deployment.open(
            settings,
            environment: environment,
            makingIt: false,
            working: function == .replay,
            logger: Logger(label: "sluice") { _ in
                StandardErrorLog(level: settings.logLevel, format: settings.logFormat)
            }
        )
    }

    /// Until SIGTERM, which an extension brings; what is under way then is put off.
    private static func run(_ runtime: LambdaRuntime, _ handlers: Handlers) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await runtime.run { try await handlers.handle($0) } }
            group.addTask { for await _ in signals { return } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func variables() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // A template can't leave a variable out, so one that is empty is one that is not set.
            if parts.count == 2, !parts[1].isEmpty { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return variables
    }
}
