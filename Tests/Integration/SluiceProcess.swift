// A process of the real program, started by hand and ended by its own id.
import Glibc
import SluiceCore
import SluiceTestKit
import Synchronization

/// Whoever drops it kills it: no test leaves a process behind.
final class SluiceProcess: Sendable {
    /// How a process came to its end.
    enum End: Hashable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case killed(by: Int32)

        var description: String {
            switch self {
            case .exited(let code): "exit code \(code)"
            case .killed(let signal): "killed by signal \(signal)"
            }
        }
    }

    let id: pid_t
    private let outputPath: String
    private let errorPath: String
    private let ended = Mutex<End?>(nil)

    /// Starts a program with its streams in files and no signal blocked.
    init(
        _ words: [String],
        environment: [String: String],
        inputPath: String = "/dev/null",
        outputPath: String,
        errorPath: String
    ) throws {
        self.outputPath = outputPath
        self.errorPath = errorPath
        let streams = (SpawnStream.reading(inputPath), SpawnStream.writing(outputPath), SpawnStream.writing(errorPath))
        id = try spawn(words, environment: environment, streams: streams)
    }

    deinit {
        guard ended.withLock({ $0 }) == nil else { return }
        kill(id, SIGKILL)
        var status: CInt = 0
        waitpid(id, &status, 0)
    }

    /// How it ended, or nil while it runs.
    var end: End? {
        ended.withLock { ended in
            if let ended { return ended }
            var status: CInt = 0
            guard waitpid(id, &status, WNOHANG) == id else { return nil }
            let signal = status & 0x7F
            ended = signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(by: signal)
            return ended
        }
    }

    var output: String { text(of: outputPath) }
    var outputBytes: [UInt8] { contents(of: outputPath) ?? [] }
    var errors: String { text(of: errorPath) }

    private func text(of path: String) -> String {
        String(decoding: contents(of: path) ?? [], as: UTF8.self)
    }

    /// Sends a signal, unless it has ended: its id could be another's by now.
    func signal(_ signal: CInt) {
        ended.withLock { ended in
            if ended == nil { kill(id, signal) }
        }
    }

    /// Waits for its end, and fails if that does not come in time.
    @discardableResult
    func waitForEnd(within limit: Duration = .seconds(60)) async throws -> End {
        try await eventually("the end of process \(id); it says: \(errors)", within: limit) { end }
    }

    /// Ends it with SIGKILL; how it then had ended, which may have been by itself.
    @discardableResult
    func killNow() async throws -> End {
        signal(SIGKILL)
        return try await waitForEnd()
    }

    /// Stops it where it stands, and returns when it does.
    func freeze() async throws {
        signal(SIGSTOP)
        try await eventually("process \(id) to stand still") { state == "T" ? () : nil }
    }

    /// Lets it go on.
    func thaw() { signal(SIGCONT) }

    /// The letter by which the system tells what it does.
    private var state: Character? {
        let line = String(decoding: contents(of: "/proc/\(id)/stat") ?? [], as: UTF8.self)
        // The name before it may hold anything but ends with the last parenthesis.
        return line.lastIndex(of: ")").flatMap { line[line.index(after: $0)...].first { $0 != " " } }
    }
}

/// What a test waited for and did not come, or came differently.
struct NotAsExpected: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Looks again and again until there is an answer, and fails when it does not come in time.
@discardableResult
func eventually<Answer>(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(60),
    every interval: Duration = .milliseconds(5),
    _ look: () async throws -> Answer?
) async throws -> Answer {
    let clock = ContinuousClock()
    let deadline = clock.now.advanced(by: limit)
    while true {
        if let answer = try await look() { return answer }
        guard clock.now < deadline else { throw NotAsExpected("waited \(limit) in vain for \(what())") }
        try await Task.sleep(for: interval)
    }
}

/// A file's bytes, or nil if there is none.
func contents(of path: String) -> [UInt8]? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
    return bytes
}
