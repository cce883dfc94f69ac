// What can't be reindexed is refused when it is asked for, and nothing is changed by the attempt.
import ReindexPipeline
import SQLiteDriver
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

@Suite("A reindex that can't be", .timeLimit(.minutes(10)))
struct RefusedStartTests {
    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var field = "source"
        let words: String
        var request: @Sendable (inout ReindexRequest) -> Void = { _ in }
        var prepare: @Sendable (PipelineWorld) async throws -> Void = { _ in }

        static func visit(_ status: Int, _ words: String) -> Refusal {
            Refusal(testDescription: "Vespa answers \(status)", words: words) { _ in
            } prepare: {
                $0.vespa.faults.stand(.status(status), for: .visit)
            }
        }

        static func workflow(_ version: String) -> Refusal {
            Refusal(
                testDescription: "workflow version \"\(version)\"",
                field: "workflow-version",
                words: "is \"\(version)\", but only workflows of version 4"
            ) { _ in
            } prepare: {
                try await $0.putIndex { $0.workflowVersion = version }
            }
        }
    }

    static let refusals = [
        Refusal(
            testDescription: "an index that has no record",
            field: "index",
            words: "no record of the index \"shoes\""
        ) {
            $0.index = "shoes"
        },
        Refusal(testDescription: "another account's index", field: "index", words: "of account \"other\"") {
            $0.account = "other"
        },
        Refusal(testDescription: "a schema that Vespa does not have", words: "Document type 'shoes' does not exist") {
            $0.index = "shoes"
        } prepare: {
            try await $0.putIndex { $0.indexName = "shoes" }
        },
        .workflow("3"), .workflow("5.1"), .workflow("40"), .workflow(""), .workflow("v4"),
        Refusal(
            testDescription: "a structured index without fields",
            field: "field",
            words: "declares all of its fields"
        ) {
            _ in
        } prepare: {
            try await $0.putIndex { $0.kind = .structured }
        },
        .visit(400, "refused (400)"), .visit(401, "access is denied"), .visit(404, "no schema \"products\""),
        .visit(503, "unavailable"),
        Refusal(testDescription: "a visit that only fails", words: "went away") { _ in
        } prepare: {
            $0.vespa.faults.stand(.messageAlone, for: .visit)
        },
        Refusal(testDescription: "connections that are reset", words: "connection") { _ in
        } prepare: {
            $0.vespa.faults.stand(.connection(.reset), for: .visit)
        },
    ]

    @Test("is refused with the field and the reason, and leaves nothing behind", arguments: refusals)
    func refused(refusal: Refusal) async throws {
        try await PipelineWorld.run { world in
            try await refusal.prepare(world)
            let before = try await #require(world.deployment.database).diagnose(thoroughly: false)
            let error = await #expect(throws: JobError.self) { try await world.start(refusal.request) }
            guard case .field(refusal.field, let problem)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(problem.contains(refusal.words), "\(problem)")
            let after = try await #require(world.deployment.database).diagnose(thoroughly: false)
            #expect(after.items == before.items)
            #expect(try await world.deployment.jobs.list().isEmpty)
            #expect(world.ecommerce.stats.answers.isEmpty)
            // The destination is free, and what is mended can start.
            world.vespa.faults.stand(nil, for: .visit)
            try await world.putIndex { _ in }
            let id = try await world.start()
            try await world.work()
            try await world.expectArrived(id)
        }
    }

    @Test("for a moment is looked at again, three times at most, and not if Vespa names a longer time")
    func again() async throws {
        try await PipelineWorld.run { world in
            world.vespa.faults.script(.status(503), next: 2, of: .visit)
            let id = try await world.start()
            #expect(world.vespa.faults.requests[.visit] == 3)
            try await world.work()
            try await world.expectArrived(id)
            let before = world.vespa.faults.requests[.visit, default: 0]
            world.vespa.faults.script(.status(503), next: 3, of: .visit)
            await #expect(throws: JobError.self) { try await world.start() }
            #expect(world.vespa.faults.requests[.visit] == before + 3)
            world.vespa.faults.script(.status(503, retryAfter: "60"), of: .visit)
            await #expect(throws: JobError.self) { try await world.start() }
            #expect(world.vespa.faults.requests[.visit] == before + 4)
        }
    }
}

extension PipelineWorld {
    fileprivate func start(_ change: (inout ReindexRequest) -> Void) async throws -> JobID {
        try await start(to: "target", change)
    }

    /// Stores a record as somebody else's program might, unchecked.
    func putIndex(_ change: (inout IndexDetails) -> Void) async throws {
        var details = IndexDetails(
            systemAccountID: Self.account,
            indexName: Self.index,
            metadata: IndexDetails.Metadata(shopID: "s1"),
            kind: .semiStructured,
            now: deployment.context.clock.now
        )
        change(&details)
        try await Table<IndexDetails>(deployment.context.backend.tables).put(details)
    }
}
