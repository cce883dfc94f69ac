// Index records: kept, listed, and refused where no job could use them.
import MemoryDriver
import ReindexPipeline
import SluiceCore
import SluiceTestKit
import Testing

@Suite("Index records")
struct IndexStoreTests {
    private let store = IndexStore(MemoryBackend(clock: ManualClock()).open(isAtomic: true).tables)

    private func details(
        _ account: String = "a",
        _ index: String = "i",
        workflow: String = "4",
        kind: IndexKind = .semiStructured,
        fields: [String: FieldType] = [:]
    ) -> IndexDetails {
        IndexDetails(
            systemAccountID: account,
            indexName: index,
            metadata: .init(shopID: "s"),
            workflowVersion: workflow,
            kind: kind,
            marqoVersion: "2.16.0",
            fields: fields,
            now: Timestamp(milliseconds: 1_700_000_000_000)
        )
    }

    @Test("come back as they were set, replaced and in order")
    func kept() async throws {
        let structured = details("b", "j", kind: .structured, fields: ["on": .bool, "m": .floatMap])
        try await store.set(structured)
        try await store.set(details("a", "z"))
        try await store.set(details("a", "i", workflow: "4.0"))
        try await store.set(details("a", "i", workflow: "4.1"))
        #expect(try await store.list() == [details("a", "i", workflow: "4.1"), details("a", "z"), structured])
        #expect(try await store.get(account: "b", index: "j") == structured)
        #expect(try await store.get(account: "b", index: "i") == nil)
    }

    @Test("of other workflows than version 4 are refused", arguments: ["3", "5.4", "40", "", "v4", " 4"])
    func workflow(version: String) async throws {
        await #expect(throws: JobError.self) { try await store.set(details(workflow: version)) }
        #expect(try await store.list().isEmpty)
    }

    @Test("of workflows of version 4 are taken", arguments: ["4", "4.1", "4.12.3", "4-beta"])
    func workflow4(version: String) async throws {
        try await store.set(details(workflow: version))
    }

    @Test("of structured indexes declare fields")
    func undeclared() async throws {
        await #expect(throws: JobError.self) { try await store.set(details(kind: .structured)) }
    }

    @Test("that are not there are named with the fix")
    func missing() async throws {
        do {
            _ = try await store.needed(account: "a", index: "nope")
            Issue.record("found")
        } catch let JobError.field(name, problem) {
            #expect(name == "index")
            #expect(problem.contains("nope") && problem.contains("sluice index set"))
        }
    }

    @Test(
        "an unstructured index made from 2.13 on is semi-structured",
        arguments: [
            (.unstructured, "2.12.9", .unstructured), (.unstructured, "2.13.0", .semiStructured),
            (.unstructured, "3.0", .semiStructured), (.semiStructured, "2.16", .semiStructured),
            (.structured, "2.5.0", .structured), (.unstructured, nil, .unstructured),
        ] as [(IndexKind, String?, IndexKind)]
    )
    func kind(said: IndexKind, version: String?, kind: IndexKind) throws {
        #expect(try MarqoVersion.kind(said, version: version) == kind)
    }

    @Test("versions that can't be are refused", arguments: [(IndexKind.semiStructured, "2.12"), (.structured, "new")])
    func wrongVersion(said: IndexKind, version: String) {
        #expect(throws: JobError.self) { try MarqoVersion.kind(said, version: version) }
    }
}
