// The embedded default as a whole: opened, worked on, looked over.
import Foundation
import Logging
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import Testing

@Suite("The embedded default", .timeLimit(.minutes(10)))
struct DeploymentTests {
    /// A folder for one test, with a source of so many records in it.
    private func withFolder(records: Int, _ body: (String, Settings) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "sluice-assembly-" + SystemRandomSource().hexadecimal(16)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { do { try FileManager.default.removeItem(atPath: folder) } catch { print("left behind: \(folder)") } }
        let lines = (0..<records).map { "{\"_id\":\"d\($0)\",\"n\":\($0)}\n" }.joined()
        try lines.write(toFile: folder + "/in.jsonl", atomically: true, encoding: .utf8)
        var settings = Settings(folders: UserFolders(environment: [:]))
        settings.databasePath = folder + "/sluice.db"
        settings.engine.tick = .milliseconds(100)
        try await body(folder, settings)
    }

    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func open(_ settings: Settings, makingIt: Bool = true) async throws -> Deployment {
        try await Deployment.open(
            settings,
            makingIt: makingIt,
            working: true,
            logger: Self.silent
        )
    }

    @Test("a job moves from file to file, and the deployment is sound before and after")
    func endToEnd() async throws {
        try await withFolder(records: 500) { folder, settings in
            let deployment = try await open(settings)
            var request = ReindexRequest(source: "file://\(folder)/in.jsonl", sink: "file://\(folder)/out.jsonl")
            request.concurrency = 3
            let job = try await ReindexStart(deployment.context).start(request)
            let waiting = try await Checkup(settings, logger: Self.silent).run(on: deployment, thoroughly: true)
            #expect(waiting.filter { !$0.isSound }.map(\.check) == ["job \(job.id)"])

            let worker = deployment.worker()
            async let running: Void = worker.run()
            try await worker.waitUntilIdle()
            worker.stop.stop()
            try await running

            let ended = try await deployment.job(job.id)
            #expect(ended.status == .completed)
            #expect(ended.completedDocCount == 500)
            let out = try String(contentsOfFile: folder + "/out.jsonl", encoding: .utf8)
            #expect(Set(out.split(separator: "\n")).count == 500)
            #expect(
                try await Checkup(settings, logger: Self.silent).run(on: deployment, thoroughly: true).allSatisfy(
                    \.isSound
                )
            )
            try await deployment.close()
        }
    }

    @Test("a request that is refused leaves no job behind")
    func refused() async throws {
        try await withFolder(records: 1) { folder, settings in
            let deployment = try await open(settings)
            let start = ReindexStart(deployment.context)
            for (source, sink) in [
                ("file://\(folder)/missing.jsonl", "noop:"), ("file://\(folder)/in.jsonl", "file://\(folder)/in.jsonl"),
                ("file://\(folder)/in.jsonl", "file://\(folder)/missing/out.jsonl"),
            ] {
                await #expect(throws: JobError.self) {
                    try await start.start(ReindexRequest(source: source, sink: sink))
                }
            }
            #expect(try await deployment.jobs.list().isEmpty)
            try await deployment.close()
        }
    }

    @Test("two live jobs can't write to one file")
    func busy() async throws {
        try await withFolder(records: 1) { folder, settings in
            let deployment = try await open(settings)
            let request = ReindexRequest(source: "file://\(folder)/in.jsonl", sink: "file://\(folder)/out.jsonl")
            let first = try await ReindexStart(deployment.context).start(request)
            let destination = "file:\(folder)/out.jsonl"
            await #expect(throws: JobError.destinationBusy(destination: destination, job: first.id)) {
                try await ReindexStart(deployment.context).start(request)
            }
            try await deployment.control.cancel(first.id)
            _ = try await ReindexStart(deployment.context).start(request)
            try await deployment.close()
        }
    }

    @Test("a destination whose job was ended or removed in the table itself is free", arguments: [true, false])
    func orphanedClaim(isRemoved: Bool) async throws {
        try await withFolder(records: 1) { folder, settings in
            let deployment = try await open(settings)
            let request = ReindexRequest(source: "file://\(folder)/in.jsonl", sink: "file://\(folder)/out.jsonl")
            let first = try await ReindexStart(deployment.context).start(request)
            let effect: TableAction.Effect = isRemoved ? .delete : .update([Job.status.set(.cancelled)])
            let tables = deployment.context.backend.tables
            try await tables.transact([TableAction(Job.schema, first.key, effect)])
            let second = try await ReindexStart(deployment.context).start(request)
            await #expect(throws: JobError.self) { try await ReindexStart(deployment.context).start(request) }
            #expect(try await deployment.jobs.get(second.id).status == .pending)
            try await deployment.close()
        }
    }

    @Test("a database that isn't there is made only where one is to be made")
    func missing() async throws {
        try await withFolder(records: 0) { folder, settings in
            await #expect(throws: PortError.self) { try await open(settings, makingIt: false) }
            #expect(!FileManager.default.fileExists(atPath: folder + "/sluice.db"))
        }
    }
}

@Suite("Log lines")
struct StandardErrorLogTests {
    private func line(_ format: Settings.LogFormat) -> String {
        nonisolated(unsafe) var written = ""
        let clock = FixedClock()
        let logger = Logger(label: "t") { _ in
            StandardErrorLog(level: .info, format: format, clock: clock) {
                written += String(decoding: $0, as: UTF8.self)
            }
        }
        logger.info("job moved\non", metadata: ["to": "paused", "reason": "two words", "none": ""])
        logger.debug("not heard")
        return written
    }

    @Test("are one line of text each")
    func text() {
        #expect(line(.text) == "2023-11-14T22:13:20.000Z info: job moved on reason=\"two words\" to=paused\n")
    }

    @Test("or one JSON object each")
    func json() throws {
        let object = try JSONValue.parse(Array(line(.json).utf8))
        #expect(object["message"]?.stringValue == "job moved\non")
        #expect(object["level"]?.stringValue == "info")
        #expect(object["to"]?.stringValue == "paused")
    }

    private struct FixedClock: Timekeeping {
        var now: Timestamp { Timestamp(milliseconds: 1_700_000_000_000) }
        var minimumResolution: Duration { .milliseconds(1) }
        func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {}
    }
}
