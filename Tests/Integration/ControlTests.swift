// Jobs steered by processes other than the one that works on them.
import Foundation
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Control across processes", .serialized)
    struct ControlTests {
        static let records = 2000
        let sandbox: Sandbox
        let input: String
        let output: String

        init() throws {
            sandbox = try Sandbox(["SLUICE_INFLIGHT_MAX": "300", "SLUICE_CHUNK_RECORDS_MAX": "10"])
            input = try sandbox.makeRecords(Self.records)
            output = sandbox.path("out.jsonl")
        }

        private func create(rate: Int = 400) async throws -> String {
            try await sandbox.create(from: input, to: output, "--page-size", "50", "--rate", "\(rate)")
        }

        private func finish(_ id: String) async throws {
            try await sandbox.succeed("job", "set", id, "--rate", "unlimited")
            try await sandbox.workUntilIdle()
            try await sandbox.expectExact(id, from: input, to: output, records: Self.records)
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl", "out.jsonl"])
        }

        @Test("a job is paused from a second process and resumed in a third")
        func pauseAndResume() async throws {
            let id = try await create()
            let worker = try sandbox.start("worker", "--until-idle")
            try await sandbox.waitForCompleted()
            let asked = try ShownJob(try await sandbox.succeed("job", "pause", id, "--format", "json"))
            #expect(["pausing", "paused"].contains(asked.status))
            // What was queued drains; then a paused job is no reason for a worker to stay.
            #expect(try await worker.waitForEnd() == .exited(0), "\(worker.errors)")
            let paused = try await sandbox.job(id)
            #expect(paused.status == "paused")
            #expect(paused.isBalanced)
            #expect(paused.extracted < Self.records)
            #expect(paused.open == 0)
            try await sandbox.workUntilIdle()
            #expect(try await sandbox.job(id).extracted == paused.extracted)

            let resumed = try ShownJob(try await sandbox.succeed("job", "resume", id, "--format", "json"))
            #expect(resumed.status == "pending")
            try await finish(id)
        }

        @Test("a start that waits ends with 4 when its job is paused elsewhere")
        func waitingForPaused() async throws {
            let waiting = try sandbox.start(
                "reindex",
                "start",
                "--source",
                "file://\(input)",
                "--sink",
                "file://\(output)",
                "--page-size",
                "50",
                "--rate",
                "400",
                "--wait",
                "--format",
                "json"
            )
            let id = try await sandbox.waitForCompleted()
            try await sandbox.succeed("job", "pause", id)
            #expect(try await waiting.waitForEnd() == .exited(4), "\(waiting.errors)")
            #expect(try ShownJob(waiting.output).status == "paused")
            try await sandbox.succeed("job", "resume", id)
            try await finish(id)
        }

        @Test("a cancel takes seconds at most, ends the waiting process with 5 and frees the destination")
        func cancel() async throws {
            let waiting = try sandbox.start(
                "reindex",
                "start",
                "--source",
                "file://\(input)",
                "--sink",
                "file://\(output)",
                "--page-size",
                "50",
                "--rate",
                "100",
                "--wait",
                "--format",
                "json"
            )
            let id = try await sandbox.waitForCompleted()
            let began = ContinuousClock.now
            let answered = try ShownJob(try await sandbox.succeed("job", "cancel", id, "--format", "json"))
            #expect(ContinuousClock.now - began < .seconds(10))
            #expect(answered.status == "cancelled")
            #expect(answered.isBalanced, "\(answered)")
            #expect(answered.completed < Self.records)
            #expect(try await waiting.waitForEnd() == .exited(5), "\(waiting.errors)")

            try await sandbox.workUntilIdle()
            let ended = try await sandbox.job(id)
            #expect(ended.status == "cancelled")
            #expect(ended.isBalanced, "\(ended)")
            #expect(ended.extracted == answered.extracted)
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl"])
            let again = try await sandbox.run("job", "resume", id)
            #expect(again.end == .exited(1))
            #expect(again.errors.contains("cancelled can't become pending"), "\(again.errors)")
            try await finish(try await create())
        }

        @Test("a job is cancelled without any worker")
        func cancelAlone() async throws {
            let id = try await create()
            let worker = try sandbox.start("worker")
            try await sandbox.waitForCompleted()
            try await worker.killNow()
            let answered = try ShownJob(try await sandbox.succeed("job", "cancel", id, "--format", "json"))
            #expect(answered.status == "cancelled")
            #expect(answered.isBalanced, "\(answered)")
            try await sandbox.workUntilIdle()
            #expect(try await sandbox.job(id).isBalanced)
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl"])
        }

        @Test("another rate is felt within about a second, up and down, and is kept")
        func rate() async throws {
            let id = try await create(rate: 50)
            let worker = try sandbox.start("worker")
            try await sandbox.waitForCompleted(over: 60)
            try await waitForRate(id, 20...150)
            try await sandbox.succeed("job", "set", id, "--rate", "300")
            try await waitForRate(id, 151...700)
            try await sandbox.succeed("job", "set", id, "--rate", "20", "--delivery-concurrency", "2")
            try await waitForRate(id, 0...80)
            let shown = try await sandbox.job(id)
            #expect(shown.record["rate"]?.doubleValue == 20)
            #expect(shown.record["delivery_concurrency"]?.intValue == 2)
            worker.signal(SIGTERM)
            #expect(try await worker.waitForEnd() == .exited(0))
            try await finish(id)
        }

        /// Returns once that many records a second complete, and fails if they don't soon.
        private func waitForRate(_ id: String, _ wanted: ClosedRange<Double>) async throws {
            var (last, since) = (try await sandbox.job(id).completed, ContinuousClock.now)
            try await eventually("\(wanted) records a second", within: .seconds(8), every: .milliseconds(700)) {
                let (now, moment) = (try await sandbox.job(id).completed, ContinuousClock.now)
                defer { (last, since) = (now, moment) }
                let seconds = since.duration(to: moment).inSeconds
                // The first look comes at once, and says nothing.
                return seconds > 0.5 && wanted.contains(Double(now - last) / seconds) ? () : nil
            }
        }

        @Test("a second live job for the same destination is refused by name, however the path is spelt")
        func sameDestination() async throws {
            let id = try await create()
            for path in [output, sandbox.work + "//out.jsonl", sandbox.work + "/./out.jsonl"] {
                let refused = try await sandbox.run(
                    "reindex",
                    "start",
                    "--source",
                    "file://\(input)",
                    "--sink",
                    "file://\(path)"
                )
                #expect(refused.end == .exited(1), "\(refused)")
                #expect(refused.errors.contains(id), "\(refused.errors)")
                #expect(refused.errors.contains("destination"), "\(refused.errors)")
                #expect(refused.output.isEmpty)
            }
            #expect(try await sandbox.jobs().map(\.id) == [id])
            try await finish(id)
        }

        @Test("two workers share one job, and each record is moved by one of them")
        func twoWorkers() async throws {
            let id = try await create(rate: 1000)
            let workers = [try sandbox.start("worker", "--until-idle"), try sandbox.start("worker", "--until-idle")]
            let segments = "\(output).\(id).partial.d"
            try await eventually("segments of both workers") {
                let names =
                    FileManager.default.fileExists(atPath: segments)
                    ? try FileManager.default.contentsOfDirectory(atPath: segments) : []
                return Set(names.filter { $0.hasSuffix(".seg") }).count > 1 ? () : nil
            }
            for worker in workers { #expect(try await worker.waitForEnd() == .exited(0), "\(worker.errors)") }
            try await sandbox.expectExact(id, from: input, to: output, records: Self.records)
            try sandbox.expectNoLeftovers(beside: ["docs.jsonl", "out.jsonl"])
        }

        @Test("after kill -9 the next record is moved soon after another worker starts")
        func resumeTime() async throws {
            let id = try await create(rate: 300)
            let worker = try sandbox.start("worker")
            try await sandbox.waitForCompleted()
            try await worker.killNow()
            let before = try await sandbox.job(id).completed
            let began = ContinuousClock.now
            let successor = try sandbox.start("worker", "--until-idle")
            try await sandbox.waitForCompleted(over: before)
            let time = began.duration(to: .now)
            print("from the successor's start to the next record seen: \(time)")
            // Under one second in a release build on a quiet machine; this one is neither.
            #expect(time < .seconds(8))
            try await sandbox.succeed("job", "set", id, "--rate", "unlimited")
            #expect(try await successor.waitForEnd() == .exited(0), "\(successor.errors)")
            try await sandbox.expectExact(id, from: input, to: output, records: Self.records)
        }
    }
}
