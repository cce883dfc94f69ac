// SIGTERM and SIGINT stop at a checkpoint, a second one at once, and nothing is lost by either.
import Glibc
import SluiceCore
import Testing

extension RealProgram {
    @Suite("SIGTERM and SIGINT", .serialized)
    struct SignalTests {
        static let records = 2000

        /// A job in a sandbox of its own, with enough to do that a signal comes in the middle.
        struct Scene {
            let sandbox: Sandbox
            let input: String
            let output: String

            init(_ settings: [String: String] = [:]) throws {
                sandbox = try Sandbox(
                    ["SLUICE_INFLIGHT_MAX": "300", "SLUICE_CHUNK_RECORDS_MAX": "25"].merging(settings) { $1 }
                )
                input = try sandbox.makeRecords(SignalTests.records)
                output = sandbox.path("out.jsonl")
            }

            var startWords: [String] {
                [
                    "reindex", "start", "--source", "file://\(input)", "--sink", "file://\(output)", "--concurrency",
                    "4",
                    "--page-size", "50", "--rate", "400", "--format", "json",
                ]
            }

            /// Lets a worker do the rest, quicker than the job began, and looks whether it is exact.
            func finish(_ id: String) async throws {
                let stopped = try await sandbox.job(id)
                #expect(stopped.isBalanced, "\(stopped)")
                #expect(stopped.completed < SignalTests.records)
                try await sandbox.succeed("job", "set", id, "--rate", "unlimited")
                try await sandbox.workUntilIdle()
                try await sandbox.expectExact(id, from: input, to: output, records: SignalTests.records)
                try sandbox.expectNoLeftovers(beside: ["docs.jsonl", "out.jsonl"])
            }
        }

        @Test("a worker that should work until idle ends with 75 at a checkpoint", arguments: [SIGTERM, SIGINT])
        func workerUntilIdle(signal: CInt) async throws {
            let scene = try Scene()
            try await scene.sandbox.succeed(scene.startWords)
            let worker = try scene.sandbox.start("worker", "--until-idle")
            let id = try await scene.sandbox.waitForCompleted()
            worker.signal(signal)
            // The grace is ten seconds; beyond it nothing under way is waited for.
            #expect(try await worker.waitForEnd(within: .seconds(20)) == .exited(75))
            #expect(worker.errors.contains("stopping at the next checkpoint"))
            try await scene.finish(id)
        }

        @Test("a worker that works until it is told to stop ends with 0", arguments: [SIGTERM, SIGINT])
        func worker(signal: CInt) async throws {
            let scene = try Scene()
            try await scene.sandbox.succeed(scene.startWords)
            let worker = try scene.sandbox.start("worker")
            let id = try await scene.sandbox.waitForCompleted()
            worker.signal(signal)
            #expect(try await worker.waitForEnd(within: .seconds(20)) == .exited(0), "\(worker.errors)")
            try await scene.finish(id)
        }

        @Test("a start that waits ends with 75, prints the record and says how to go on", arguments: [SIGTERM, SIGINT])
        func startAndWait(signal: CInt) async throws {
            let scene = try Scene()
            let start = try scene.sandbox.start(scene.startWords + ["--wait"])
            let id = try await scene.sandbox.waitForCompleted()
            start.signal(signal)
            #expect(try await start.waitForEnd(within: .seconds(20)) == .exited(75), "\(start.errors)")
            let shown = try ShownJob(start.output)
            #expect(shown.id == id)
            #expect(shown.status == "in_progress")
            #expect(shown.isBalanced)
            #expect(start.errors.contains("sluice worker"), "\(start.errors)")
            try await scene.finish(id)
        }

        @Test("a second signal ends it at once, whatever it waits for", arguments: [SIGTERM, SIGINT])
        func twice(signal: CInt) async throws {
            let scene = try Scene(["SLUICE_STOP_GRACE_SECONDS": "120", "SLUICE_DATABASE_BUSY_WAIT_SECONDS": "120"])
            try await scene.sandbox.succeed(scene.startWords)
            let worker = try scene.sandbox.start("worker", "--until-idle")
            let id = try await scene.sandbox.waitForCompleted()
            // No checkpoint can be reached while nobody can write.
            let lock = try WriteLock(on: scene.sandbox.database)
            try #require(lock.isHeld)
            worker.signal(signal)
            try await eventually("the first signal to be heard") {
                worker.errors.contains("once more stops at once") ? () : nil
            }
            #expect(worker.end == nil)
            worker.signal(signal)
            #expect(try await worker.waitForEnd(within: .seconds(10)) == .exited(75))
            lock.letGo()
            try await scene.finish(id)
        }
    }
}
