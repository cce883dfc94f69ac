// A script of this repository that says where it serves, and serves until its standard input ends.
import Foundation
import SluiceCore
import Testing

/// It goes with whoever holds it, even if that is killed.
final class ServingScript: Sendable {
    let process: SluiceProcess
    /// The first line that it printed.
    let url: String
    private let lifeline: Int32

    private init(process: SluiceProcess, lifeline: Int32, url: String) {
        self.process = process
        self.lifeline = lifeline
        self.url = url
    }

    deinit { close(lifeline) }

    /// Starts a script of `Scripts/` with its arguments, and returns once it serves.
    static func start(
        _ words: [String],
        _ sandbox: Sandbox,
        environment: [String: String] = [:]
    ) async throws -> ServingScript {
        let root = (1...3).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }
        let name = SystemRandomSource().hexadecimal(8)
        let input = sandbox.path("lifeline-\(name)")
        guard mkfifo(input, 0o600) == 0 else { throw NotAsExpected("no pipe at \(input)") }
        let lifeline = open(input, O_RDWR | O_CLOEXEC)
        let plain = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": sandbox.folder + "/home"]
        let process = try SluiceProcess(
            [root.appending(path: "Scripts/" + words[0]).path] + words.dropFirst(),
            environment: environment.merging(plain) { $1 },
            inputPath: input,
            outputPath: sandbox.path("script-\(name).out"),
            errorPath: sandbox.path("script-\(name).err")
        )
        // Both ends are open; whoever reads the sandbox's files would wait for a third.
        unlink(input)
        let url = try await eventually("the URL of \(words); it says: \(process.errors)", within: .seconds(120)) {
            if let end = process.end { throw NotAsExpected("\(words) ended with \(end): \(process.errors)") }
            return process.output.split(separator: "\n").first.map(String.init)
        }
        return ServingScript(process: process, lifeline: lifeline, url: url)
    }
}
