// The whole pipeline on stand-ins that fail: visits, transformation, deliveries, confirmations; killed, and exact.
import Foundation
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Reindexing from Vespa to the Ecommerce API", .serialized)
    struct ReindexTests {
        private static let documents = 3000
        private static let each = documents / IndexKind.allCases.count

        @Test("every kind of index arrives whole through faults, and verifies", arguments: IndexKind.allCases)
        func arrives(kind: IndexKind) async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: Self.documents, faultRate: 0.05, seed: 11)
            let sandbox = try Sandbox(services.environment)
            try await sandbox.setIndexes()
            let id = try await sandbox.reindex(kind, to: "target", "--concurrency", "4", "--page-size", "100")
            try await sandbox.workUntilIdle()
            try await sandbox.expectArrived(id, services, index: "target", documents: Self.each)
            try sandbox.expectNoKey()
        }

        static let plans = [
            KillPlan(seed: 21, kills: 20, settings: ["SLUICE_INFLIGHT_MAX": "300", "SLUICE_CHUNK_RECORDS_MAX": "20"]),
            KillPlan(seed: 22, kills: 16, workers: 2, settings: ["SLUICE_CHUNK_RECORDS_MAX": "10"]),
            // Everything is accepted before the first is confirmed.
            KillPlan(seed: 23, kills: 16, settings: ["SLUICE_CONFIRM_INTERVAL_SECONDS": "1"]),
        ]

        @Test(
            "kill -9 loses no document and counts none twice, in visits, deliveries and confirmations",
            arguments: plans
        )
        func killLoop(plan: KillPlan) async throws {
            let plain = try Sandbox()
            let services = try await Services.start(
                plain,
                documents: Self.documents,
                faultRate: 0.03,
                seed: plan.seed,
                ecommerce: ["--processing", "150"]
            )
            let sandbox = try Sandbox(services.environment.merging(plan.settings) { $1 })
            try await sandbox.setIndexes()
            try await sandbox.survive(plan, services, documents: Self.each)
            try sandbox.expectSoundDatabase()
        }

        @Test("a job with a low rate keeps no other one waiting")
        func slowAndFast() async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: 3000)
            let sandbox = try Sandbox(services.environment.merging(["SLUICE_DELIVERIES_MAX": "4"]) { $1 })
            try await sandbox.setIndexes()
            let slow = try await sandbox.reindex(.structured, to: "slow", "--rate", "1")
            let worker = try sandbox.start("worker")
            try await eventually("the slow job's extraction; the worker says: \(worker.errors)") {
                try await sandbox.job(slow).extracted == 1000 ? () : nil
            }
            let fast = try await sandbox.reindex(.unstructured, to: "fast")
            try await eventually("the end of the fast job") { try await sandbox.job(fast).isFinal ? () : nil }
            try await sandbox.expectArrived(fast, services, index: "fast", documents: 1000)
            let waiting = try await sandbox.job(slow)
            #expect(waiting.status == "in_progress" && waiting.completed < 1000, "\(waiting)")
            try await sandbox.succeed("job", "set", slow, "--rate", "unlimited")
            try await eventually("the end of the slow job") { try await sandbox.job(slow).isFinal ? () : nil }
            try await sandbox.expectArrived(slow, services, index: "slow", documents: 1000)
            worker.signal(SIGTERM)
            #expect(try await worker.waitForEnd() == .exited(0), "\(worker.errors)")
        }

        @Test("a patch sends only its fields, skips what has them, and counts it")
        func patch() async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: 600)
            let sandbox = try Sandbox(services.environment)
            try await sandbox.setIndexes()
            let full = try await sandbox.reindex(.structured, to: "shop", "--concurrency", "2")
            try await sandbox.workUntilIdle()
            try await sandbox.expectArrived(full, services, index: "shop", documents: 200)
            let patch = try await sandbox.reindex(
                .structured,
                to: "shop",
                "--type",
                "patch",
                "--fields",
                "price,vendor"
            )
            try await sandbox.workUntilIdle()
            let job = try await sandbox.job(patch)
            #expect(job.status == "completed" && job.completed == 200, "\(job)")
            let verified = try await sandbox.verify(patch)
            #expect(verified["matching"]?.intValue == 200, "\(verified)")
            let skipping = try await sandbox.reindex(.structured, to: "shop", "--skip-if-present", "price,vendor")
            try await sandbox.workUntilIdle()
            let skipped = try await sandbox.job(skipping)
            #expect(skipped.status == "completed" && skipped.count("skipped") == 200, "\(skipped)")
        }

        @Test("verify finds what is missing, different and too much, and repair mends it")
        func verifyAndRepair() async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: 300)
            let sandbox = try Sandbox(services.environment)
            try await sandbox.setIndexes()
            let id = try await sandbox.reindex(.semiStructured, to: "shop")
            try await sandbox.workUntilIdle()
            try await services.spoil("shop")
            let broken = try await sandbox.run("job", "verify", id, "--settle", "0", "--format", "json")
            #expect(broken.end == .exited(3), "\(broken.errors)")
            let report = try JSONValue.parse(broken.output)
            #expect(report["compared"]?.intValue == 100)
            #expect(report["different"]?.intValue == 1, "\(report)")
            #expect(report["extra"]?.intValue == 1, "\(report)")
            #expect(report["source_changed_since"]?.intValue == 0, "\(report)")
            let mended = try await sandbox.run("job", "verify", id, "--settle", "0.2", "--repair", "--format", "json")
            let after = try JSONValue.parse(mended.output)
            #expect(after["repaired"]?.intValue == 1 && after["different"]?.intValue == 0, "\(after)")
            #expect(after["matching"]?.intValue == 100, "\(after)")
            #expect(after["settled"]?.intValue == 0, "what was repaired did not settle by itself: \(after)")
        }

        @Test("verify finds in a file what was changed, taken out and added")
        func verifyFile() async throws {
            let sandbox = try Sandbox()
            let input = try sandbox.makeRecords(300)
            let output = sandbox.path("out.jsonl")
            let id = try await sandbox.create(from: input, to: output)
            try await sandbox.workUntilIdle()
            #expect(try await sandbox.verify(id)["matching"]?.intValue == 300)

            var lines = try #require(contents(of: output)).split(separator: UInt8(ascii: "\n")).map { Array($0) }
            let changed = try #require(JSONValue.parse(lines[7])["_id"])
            lines[7] = Array(#"{"_id":\#(changed)}"#.utf8)
            lines.remove(at: 4)
            lines.append(Array(#"{"_id":"nobody's"}"#.utf8))
            let spoilt = Data(lines.flatMap { $0 + [UInt8(ascii: "\n")] })
            try spoilt.write(to: URL(fileURLWithPath: output))
            let broken = try await sandbox.run("job", "verify", id, "--format", "json")
            #expect(broken.end == .exited(3), "\(broken.errors)")
            let report = try JSONValue.parse(broken.output)
            for (name, count) in [("matching", 298), ("missing", 1), ("different", 1), ("extra", 1)] {
                #expect(report[name]?.intValue == count, "\(name): \(report)")
            }
        }

        @Test("an index without a shop delivers nothing, and the job says so")
        func classic() async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: 300)
            let sandbox = try Sandbox(services.environment)
            try await sandbox.succeed(
                "index",
                "set",
                "products-unstructured",
                "--account",
                Services.account,
                "--type",
                "unstructured"
            )
            let started = try await sandbox.run(
                "reindex",
                "start",
                "--account",
                Services.account,
                "--index",
                "products-unstructured"
            )
            #expect(started.errors.contains("nothing is delivered"), "\(started.errors)")
            let id = started.output.trimmingCharacters(in: .whitespacesAndNewlines)
            try await sandbox.workUntilIdle()
            let job = try await sandbox.job(id)
            #expect(job.status == "completed" && job.record["sink"]?.stringValue == "classic:", "\(job)")
            #expect(try await services.held(by: "shop") == 0)
        }

        @Test("a wrong key pauses the job with the reason, and the right one goes on")
        func wrongKey() async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: 300)
            let sandbox = try Sandbox(services.environment)
            try await sandbox.setIndexes()
            let id = try await sandbox.reindex(.unstructured, to: "shop")
            let wrong = try sandbox.start("worker", with: ["SLUICE_ECOMMERCE_API_KEY": "a-wrong-key"])
            try await eventually("the pause") { try await sandbox.job(id).status == "paused" ? () : nil }
            wrong.signal(15)
            try await wrong.waitForEnd()
            let paused = try await sandbox.job(id)
            #expect(paused.reason.contains("key"), "\(paused)")
            #expect(!paused.description.contains("a-wrong-key") && !wrong.errors.contains("a-wrong-key"))
            try await sandbox.succeed("job", "resume", id)
            try await sandbox.workUntilIdle()
            try await sandbox.expectArrived(id, services, index: "shop", documents: 100)
        }
    }
}

extension Sandbox {
    func verify(_ id: String) async throws -> JSONValue {
        try JSONValue.parse(try await succeed("job", "verify", id, "--settle", "0.2", "--format", "json"))
    }

    /// The job is completed, its counters agree, and the index holds every document as it should be.
    func expectArrived(_ id: String, _ services: Services, index: String, documents: Int) async throws {
        let job = try await job(id)
        #expect(job.status == "completed", "\(job)")
        #expect(job.isBalanced && job.open == 0 && job.deadLettered == 0, "\(job)")
        #expect(job.extracted == documents && job.completed == documents && job.replayed == documents, "\(job)")
        #expect(try await services.held(by: index) == documents)
        let report = try await verify(id)
        #expect(report["matching"]?.intValue == documents, "\(report)")
        #expect(report["extra"]?.intValue == 0, "\(report)")
    }

    /// Nothing that this sandbox's processes wrote holds the key.
    func expectNoKey() throws { try expectNowhere(Services.key) }

    /// Nothing that this sandbox's processes wrote holds a secret.
    func expectNowhere(_ secret: String) throws {
        let secret = Array(secret.utf8)
        let files = try #require(FileManager.default.enumerator(atPath: folder))
        for case let name as String in files {
            guard let bytes = contents(of: folder + "/" + name) else { continue }
            #expect(!bytes.contains(secret), "\(name) holds a secret")
        }
    }
}
