// The whole pipeline with its jobs, queues and books on AWS: through faults, killed, steered, and exact.
import Foundation
import Glibc
import SluiceCore
import Testing

extension RealProgram {
    @Suite("Reindexing with the books on AWS", .serialized)
    struct AWSReindexTests {
        private static let documents = 1500
        private static let each = documents / IndexKind.allCases.count
        private static let small = ["--concurrency", "4", "--page-size", "50"]

        @Test("every kind of index arrives whole through faults by two workers, and verifies")
        func arrives() async throws {
            let world = try await CloudWorld.start(documents: Self.documents, faultRate: 0.05, seed: 31)
            let sandbox = world.sandbox
            var jobs: [(String, String)] = []
            for kind in IndexKind.allCases {
                let index = "target-\(kind.rawValue)"
                jobs.append((try await sandbox.reindex(kind, to: index, Self.small), index))
            }
            let workers = try (0..<2).map { _ in try sandbox.start("worker", "--until-idle") }
            for worker in workers {
                #expect(try await worker.waitForEnd(within: .seconds(120)) == .exited(0), "\(worker.errors)")
            }
            for (id, index) in jobs {
                try await sandbox.expectArrived(id, world.services, index: index, documents: Self.each)
            }
            try await sandbox.expectSoundCloud()
            try sandbox.expectNowhere(Cloud.secret)
        }

        static let plans = [
            KillPlan(seed: 41, kills: 16, settings: ["SLUICE_INFLIGHT_MAX": "300", "SLUICE_CHUNK_RECORDS_MAX": "20"]),
            KillPlan(seed: 42, kills: 16, workers: 2, settings: ["SLUICE_CHUNK_RECORDS_MAX": "10"]),
        ]

        @Test("kill -9 loses no document and counts none twice", arguments: plans)
        func killLoop(plan: KillPlan) async throws {
            let world = try await CloudWorld.start(
                documents: Self.documents,
                faultRate: 0.03,
                seed: plan.seed,
                settings: plan.settings
            )
            let sandbox = world.sandbox
            try await sandbox.survive(plan, world.services, documents: Self.each)
            try await sandbox.expectSoundCloud()
        }

        @Test("a worker that stands still past its leases changes nothing when it wakes")
        func zombie() async throws {
            let world = try await CloudWorld.start(
                documents: Self.documents,
                seed: 51,
                settings: ["SLUICE_INFLIGHT_MAX": "200", "SLUICE_CHUNK_RECORDS_MAX": "20"]
            )
            let sandbox = world.sandbox
            let id = try await sandbox.reindex(.structured, to: "shop", Self.small + ["--rate", "200"])
            let zombie = try sandbox.start("worker", "--until-idle")
            try await eventually("some completed documents") {
                try await sandbox.job(id).completed > 50 ? () : nil
            }
            try await zombie.freeze()
            let frozen = try await sandbox.job(id)
            try #require(frozen.completed < Self.each, "it was too quick to be stopped in the middle")
            try await sandbox.succeed("job", "set", id, "--rate", "unlimited")
            try await sandbox.workUntilIdle()
            try await sandbox.expectArrived(id, world.services, index: "shop", documents: Self.each)
            let sheet = try await sandbox.job(id)
            zombie.thaw()
            #expect(try await zombie.waitForEnd() == .exited(0), "\(zombie.errors)")
            #expect(try await sandbox.job(id).record == sheet.record)
            try await sandbox.expectArrived(id, world.services, index: "shop", documents: Self.each)
        }

        @Test("a job is paused, throttled, resumed and cancelled from another process")
        func control() async throws {
            let world = try await CloudWorld.start(documents: Self.documents, seed: 61)
            let sandbox = world.sandbox
            let id = try await sandbox.reindex(.unstructured, to: "shop", Self.small + ["--rate", "100"])
            let worker = try sandbox.start("worker")
            try await eventually("the first completed documents") {
                try await sandbox.job(id).completed > 0 ? () : nil
            }
            try await sandbox.succeed("job", "pause", id)
            try await eventually("the pause") { try await sandbox.job(id).status == "paused" ? () : nil }
            let paused = try await sandbox.job(id)
            #expect(paused.isBalanced && paused.completed < Self.each, "\(paused)")
            try await sandbox.succeed("job", "set", id, "--rate", "unlimited")
            try await sandbox.succeed("job", "resume", id)
            try await eventually("the end") { try await sandbox.job(id).isFinal ? () : nil }
            try await sandbox.expectArrived(id, world.services, index: "shop", documents: Self.each)

            let other = try await sandbox.reindex(.unstructured, to: "other", Self.small + ["--rate", "100"])
            try await eventually("the first completed documents") {
                try await sandbox.job(other).completed > 0 ? () : nil
            }
            try await sandbox.succeed("job", "cancel", other)
            try await eventually("the cancellation") {
                try await sandbox.job(other).status == "cancelled" ? () : nil
            }
            let cancelled = try await sandbox.job(other)
            #expect(cancelled.isBalanced && cancelled.completed < Self.each, "\(cancelled)")
            worker.signal(SIGTERM)
            #expect(try await worker.waitForEnd() == .exited(0), "\(worker.errors)")
        }

        @Test("what is missing or not allowed is named, with what to do")
        func missing() async throws {
            let plain = try Sandbox()
            let cloud = try await Cloud.start(plain)
            let sandbox = try Sandbox(cloud.environment)
            let absent = try await sandbox.run("job", "list")
            #expect(absent.end == .exited(1))
            #expect(absent.errors.contains("no queue sluice-"), "\(absent.errors)")
            #expect(absent.errors.contains("sluice tables create"), "\(absent.errors)")
            let before = try await sandbox.run("doctor")
            #expect(before.end == .exited(1))
            for name in ["table sluice-reindexing", "queue sluice-replay", "bucket sluice-test"] {
                let line = try #require(before.output.split(separator: "\n").first { $0.hasPrefix(name + " ") })
                #expect(line.contains(" NO ") && line.contains("sluice tables create"), "\(line)")
            }
            try await sandbox.succeed("tables", "create")
            try await sandbox.expectSoundCloud()

            let nowhere = try await sandbox.run("job", "list", with: ["AWS_REGION": ""])
            #expect(nowhere.end == .exited(1))
            #expect(nowhere.errors.contains("AWS_REGION"), "\(nowhere.errors)")
            let homeless = try await sandbox.run("job", "list", with: ["SLUICE_AWS_BUCKET": ""])
            #expect(homeless.errors.contains("aws.bucket (SLUICE_AWS_BUCKET)"), "\(homeless.errors)")
            let other = try await sandbox.run("doctor", with: ["SLUICE_AWS_PREFIX": "other-"])
            #expect(other.output.contains("table other-reindexing"), "\(other.output)")
            let nobody = [
                "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true",
            ]
            let lost = try await sandbox.run("job", "list", with: nobody)
            #expect(lost.end == .exited(69), "\(lost.end)")
            #expect(lost.errors.contains("no AWS credentials are set up"), "\(lost.errors)")
            #expect(!lost.errors.contains(Cloud.secret))
        }
    }
}
