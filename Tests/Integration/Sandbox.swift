// A folder of its own for one test, with a database in it and the commands that work on that.
import Foundation
import SluiceCore
import Testing

/// Everything the program may see of the machine; removed with whatever is in it once nobody needs it.
final class Sandbox: Sendable {
    let folder: String
    private let settings: [String: String]

    /// Makes the folder; `settings` are environment variables of every process that is started here.
    init(_ settings: [String: String] = [:], folder: String? = nil) throws {
        self.folder = folder ?? NSTemporaryDirectory() + "sluice-run-" + SystemRandomSource().hexadecimal(16)
        self.settings = settings
        for part in ["work", "streams", "home"] {
            try FileManager.default.createDirectory(
                atPath: self.folder + "/" + part,
                withIntermediateDirectories: true
            )
        }
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder): \(error)") }
    }

    /// Alone in its folder with its companions.
    var database: String { folder + "/sluice.db" }
    var work: String { folder + "/work" }

    /// Where sources and outputs of the test are.
    func path(_ name: String) -> String { work + "/" + name }

    /// A program beside the tests, as the build made it.
    static func program(_ name: String = "sluice") throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = (tests as NSString).deletingLastPathComponent + "/" + name
        guard access(program, X_OK) == 0 else {
            throw NotAsExpected("there is no program at \(program); run `swift build` first")
        }
        return program
    }

    /// Starts the program.
    func start(_ words: String..., with more: [String: String] = [:]) throws -> SluiceProcess {
        try start(words, with: more)
    }

    func start(_ words: [String], with more: [String: String] = [:]) throws -> SluiceProcess {
        var environment = ["PATH": "/usr/bin:/bin", "HOME": folder + "/home", "SLUICE_DATABASE": database]
        for (name, value) in settings.merging(more, uniquingKeysWith: { $1 }) { environment[name] = value }
        let stream = folder + "/streams/" + SystemRandomSource().hexadecimal(12)
        return try SluiceProcess(
            [try Self.program()] + words,
            environment: environment,
            outputPath: stream + ".out",
            errorPath: stream + ".err"
        )
    }

    /// What a command came to.
    struct Answer: Sendable {
        let end: SluiceProcess.End
        let output: String
        let errors: String
    }

    /// Runs the program to its end.
    func run(
        _ words: String...,
        with more: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> Answer {
        try await run(words, with: more, within: limit)
    }

    func run(
        _ words: [String],
        with more: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> Answer {
        let process = try start(words, with: more)
        let end = try await process.waitForEnd(within: limit)
        return Answer(end: end, output: process.output, errors: process.errors)
    }

    /// Runs the program, which is to end with 0; what it wrote.
    @discardableResult
    func succeed(_ words: String..., within limit: Duration = .seconds(60)) async throws -> String {
        try await succeed(words, within: limit)
    }

    @discardableResult
    func succeed(_ words: [String], within limit: Duration = .seconds(60)) async throws -> String {
        let answer = try await run(words, within: limit)
        guard answer.end == .exited(0) else {
            throw NotAsExpected("sluice \(words.joined(separator: " ")): \(answer.end): \(answer.errors)")
        }
        return answer.output
    }

    /// Creates a job from file to file; its id.
    func create(from input: String, to output: String, slices: Int = 4, _ more: String...) async throws -> String {
        let words =
            ["reindex", "start", "--source", "file://\(input)", "--sink", "file://\(output)"]
            + ["--concurrency", "\(slices)"] + more
        let answer = try await run(words)
        guard answer.end == .exited(0) else { throw NotAsExpected("reindex start: \(answer.end): \(answer.errors)") }
        return answer.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A job as `job show` tells it.
    func job(_ id: String) async throws -> ShownJob {
        try ShownJob(try await succeed("job", "show", id, "--format", "json"))
    }

    /// All jobs, newest first; none before there is a database.
    func jobs() async throws -> [ShownJob] {
        let answer = try await run("job", "list", "--format", "json")
        if answer.end == .exited(1), answer.errors.contains("there is no database at") { return [] }
        guard answer.end == .exited(0) else { throw NotAsExpected("job list: \(answer.end): \(answer.errors)") }
        return try #require(JSONValue.parse(answer.output).arrayValue).map { ShownJob($0) }
    }

    /// Waits until a job has completed more than so many records; its id.
    @discardableResult
    func waitForCompleted(over count: Int = 0) async throws -> String {
        try await eventually("more than \(count) completed records") { () -> String? in
            try await jobs().first { $0.completed > count }?.id
        }
    }

    /// Lets a worker do whatever is left to do.
    func workUntilIdle(within limit: Duration = .seconds(120)) async throws {
        try await succeed("worker", "--until-idle", within: limit)
    }
}

/// A job's record as the program shows it.
struct ShownJob: Sendable, CustomStringConvertible {
    let record: JSONValue

    init(_ text: String) throws { record = try JSONValue.parse(text) }
    init(_ record: JSONValue) { self.record = record }

    var id: String { record["reindex_id"]?.stringValue ?? "" }
    var status: String { record["job_status"]?.stringValue ?? "none" }
    var reason: String { record["status_reason"]?.stringValue ?? "" }
    var extracted: Int { count("extracted") }
    var completed: Int { count("completed") }
    var replayed: Int { count("replayed") }
    var deadLettered: Int { count("dead_lettered") }
    var open: Int { count("in_flight") + count("awaiting") }
    var description: String { record.description }

    var isFinal: Bool { ["completed", "completed_with_failures", "cancelled", "failed"].contains(status) }
    var isBalanced: Bool { extracted == count("skipped") + open + deadLettered + completed }

    func count(_ name: String) -> Int { record["\(name)_doc_count"]?.intValue ?? -1 }
}
