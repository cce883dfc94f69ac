// One function of Lambda under the runtime interface emulator, and what came of handing it an event.
import Foundation
import SluiceCore
import Testing

/// The function's own process begins with its first invocation, and is begun anew after it has ended.
final class EmulatedFunction: Sendable {
    /// An answer, or what the platform says instead of one.
    struct Answer: Sendable {
        let text: String

        private var value: JSONValue? {
            do { return try JSONValue.parse(text) } catch { return nil }
        }

        /// What has to come again, or nil if the invocation failed as a whole.
        var again: [String]? {
            value?["batchItemFailures"]?.arrayValue?.compactMap { $0["itemIdentifier"]?.stringValue }
        }

        var error: String? { value?["errorMessage"]?.stringValue }
    }

    private let emulator: ServingScript
    private let sandbox: Sandbox

    private init(_ emulator: ServingScript, _ sandbox: Sandbox) {
        self.emulator = emulator
        self.sandbox = sandbox
    }

    /// Starts an emulator; an invocation that takes more than so many seconds ends its process.
    static func start(
        _ name: String,
        seconds: Int,
        _ sandbox: Sandbox,
        _ environment: [String: String]
    ) async throws -> EmulatedFunction {
        let words = ["lambda_emulator.py", try Sandbox.program("sluice-lambda"), name, "\(seconds)"]
        return EmulatedFunction(try await ServingScript.start(words, sandbox, environment: environment), sandbox)
    }

    /// What it and the emulator logged.
    var log: String { emulator.process.errors }

    /// The function's process, if there is one now.
    var process: pid_t? {
        guard let emulator = Self.children(of: emulator.process.id).first else { return nil }
        return Self.children(of: emulator).first
    }

    /// - Throws: if the emulator does not answer; a function that fails is an answer.
    func invoke(_ event: String) async throws -> Answer {
        let file = sandbox.path("event-" + SystemRandomSource().hexadecimal(12))
        try event.write(toFile: file, atomically: false, encoding: .utf8)
        let curl = try SluiceProcess(
            ["curl", "--silent", "--show-error", "--data-binary", "@\(file)", emulator.url],
            environment: ["PATH": "/usr/bin:/bin"],
            outputPath: file + ".out",
            errorPath: file + ".err"
        )
        let end = try await curl.waitForEnd()
        guard end == .exited(0) else { throw NotAsExpected("curl: \(end): \(curl.errors); the function says: \(log)") }
        return Answer(text: curl.output)
    }

    private static func children(of process: pid_t) -> [pid_t] {
        let threads = "/proc/\(process)/task"
        // A process that is ending has none.
        guard let ids = try? FileManager.default.contentsOfDirectory(atPath: threads) else { return [] }
        return ids.flatMap { id in
            String(decoding: contents(of: "\(threads)/\(id)/children") ?? [], as: UTF8.self)
                .split(separator: " ").compactMap { pid_t($0) }
        }
    }
}
