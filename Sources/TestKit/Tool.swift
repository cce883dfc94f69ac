// Runs programs of the tests' Python environment, which say independently whether we are right.
import Foundation
import Glibc

/// How a program ended, and what it printed.
package struct ProgramEnd: Sendable {
    package let status: Int32
    /// Both streams.
    package let output: String
}

/// Runs a program of the environment that `Scripts/emulator.py` makes, and waits for its end.
///
/// - Parameters:
///   - words: the program's name and its arguments.
///   - file: the content of a file whose path is the last argument, and which is gone afterwards.
///   - environment: variables beside `PATH`, all that the program has.
/// - Returns: how it ended, whatever it thought of its arguments.
/// - Throws: why it can't be started.
package func runTool(
    _ words: [String],
    file: [UInt8]? = nil,
    environment: [String: String] = [:]
) async throws -> ProgramEnd {
    let root = (1...3).reduce(URL(filePath: #filePath)) { path, _ in path.deletingLastPathComponent() }
    let folder = FileManager.default.temporaryDirectory.appending(path: "sluice-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var words = [root.appending(path: "Scripts/emulator.py").path, "--tool"] + words
    if let file {
        let path = folder.appending(path: "file")
        try Data(file).write(to: path)
        words.append(path.path)
    }
    let output = folder.appending(path: "output")
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let process = try spawn(
        ["/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"] + words,
        environment: environment.merging(["PATH": path, "HOME": folder.path]) { given, _ in given },
        streams: (.reading("/dev/null"), .writing(output.path), .inherited)
    )
    // A thread of its own: waiting would hold up the tests that share a pool of threads.
    let status = await withCheckedContinuation { continuation in
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
            continuation.resume(returning: status)
        }
    }
    return ProgramEnd(status: status, output: String(decoding: try Data(contentsOf: output), as: UTF8.self))
}
