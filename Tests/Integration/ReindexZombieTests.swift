// A worker of the whole pipeline that stands still past its leases and wakes when its successor is done changes nothing.
import Glibc
import SluiceCore
import Testing

extension RealProgram {
    @Suite("A reindexing worker stopped past its leases", .serialized)
    struct ReindexZombieTests {
        private static let documents = 3000
        private static let each = documents / IndexKind.allCases.count
        private static let settings = [
            "SLUICE_LEASE_SECONDS": "1", "SLUICE_VISIBILITY_SECONDS": "1", "SLUICE_INFLIGHT_MAX": "200",
            "SLUICE_CHUNK_RECORDS_MAX": "20",
        ]

        @Test(
            "nothing it writes after its successor has finished is booked, and the index holds what it should",
            arguments: [1, 2, 3, 4] as [UInt64]
        )
        func wakesTooLate(seed: UInt64) async throws {
            let plain = try Sandbox()
            let services = try await Services.start(plain, documents: Self.documents, seed: seed)
            let sandbox = try Sandbox(services.environment.merging(Self.settings) { $1 })
            let random = SeededRandomSource(seed: seed)
            try await sandbox.setIndexes()
            let kind = IndexKind.allCases[Int(seed) % IndexKind.allCases.count]
            let id = try await sandbox.reindex(
                kind,
                to: "shop",
                "--concurrency",
                "4",
                "--page-size",
                "50",
                "--rate",
                "800"
            )
            let zombie = try sandbox.start("worker", "--until-idle")
            let enough = Int(random.next() % 300)
            try await eventually("more than \(enough) completed documents") {
                try await sandbox.job(id).completed > enough ? () : nil
            }
            try await sandbox.freezeBetweenWrites(zombie)
            let frozen = try await sandbox.job(id)
            try #require(frozen.completed < Self.each, "it was too quick to be stopped in the middle")

            try await sandbox.workUntilIdle()
            try await sandbox.expectArrived(id, services, index: "shop", documents: Self.each)
            let sheet = try await sandbox.job(id)
            #expect(zombie.end == nil)

            zombie.thaw()
            #expect(try await zombie.waitForEnd() == .exited(0), "\(zombie.errors)")
            #expect(try await sandbox.job(id).record == sheet.record)
            try await sandbox.expectArrived(id, services, index: "shop", documents: Self.each)
            try sandbox.expectSoundDatabase()
            try sandbox.expectNoLeftovers(beside: [])
        }
    }
}
