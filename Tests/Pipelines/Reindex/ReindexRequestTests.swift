// Requests that make no sense are refused with the field and the fix; the others become jobs.
import SluiceCore
import SluiceTestKit
import Testing

// What is refused of a request, by field.
@testable import ReindexPipeline

@Suite("Requests of reindexes")
struct ReindexRequestTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)

    private func job(_ change: (inout ReindexRequest) -> Void = { _ in }) throws(JobError) -> Job {
        var request = ReindexRequest(source: "file:///data/My%20docs.jsonl", sink: "noop:")
        change(&request)
        return try request.job(id: JobID(now: now, random: SeededRandomSource(seed: 1)), now: now)
    }

    @Test("files need neither account nor index")
    func defaults() throws {
        let job = try job()
        #expect(job.systemAccountID == "local")
        #expect(job.indexName == "My-20docs.jsonl")
        #expect(job.status == .pending)
        #expect(job.concurrency == 8)
    }

    @Test(
        "an index is named after the source, made safe",
        arguments: [
            ("file:///a/b/docs.jsonl", "docs.jsonl"), ("file:///a/b/", "b"), ("file:///", "records"),
            ("file:///a/x#y z", "x-y-z"),
        ]
    )
    func names(source: String, name: String) {
        #expect(ReindexRequest.safeName(ofSource: source) == name)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let field: String
        let change: @Sendable (inout ReindexRequest) -> Void
        let testDescription: String

        init(_ field: String, _ description: String, _ change: @escaping @Sendable (inout ReindexRequest) -> Void) {
            self.field = field
            self.change = change
            testDescription = description
        }
    }

    static let wrong = [
        Wrong("fields", "fields with post") { $0.fields = ["a"] },
        Wrong("fields", "patch without fields") { $0.type = .patch },
        Wrong("fields", "no field") {
            $0.type = .patch; $0.fields = []
        },
        Wrong("fields", "an empty name") {
            $0.type = .patch; $0.fields = ["a", ""]
        },
        Wrong("fields", "a name twice") {
            $0.type = .patch; $0.fields = ["a", "b", "a"]
        },
        Wrong("fields", "only the id") {
            $0.type = .patch; $0.fields = ["_id"]
        },
        Wrong("skip-if-present", "an empty skip list") { $0.skipIfPresent = [] },
        Wrong("skip-if-present", "a name twice") { $0.skipIfPresent = ["a", "a"] },
        Wrong("skip-if-present", "65 names") { $0.skipIfPresent = (0...64).map { "f\($0)" } },
        Wrong("concurrency", "no slice") { $0.concurrency = 0 },
        Wrong("concurrency", "257 slices") { $0.concurrency = 257 },
        Wrong("page-size", "an empty page") { $0.pageSize = 0 },
        Wrong("rate", "no rate") { $0.rate = 0 },
        Wrong("rate", "no number") { $0.rate = .nan },
        Wrong("delivery-concurrency", "none") { $0.deliveryConcurrency = 0 },
        Wrong("failure-budget", "nonsense") { $0.failureBudget = "some" },
        Wrong("id-field", "no name") { $0.idField = "" },
        Wrong("account", "empty") { $0.account = "" },
        Wrong("index", "a #") { $0.index = "a#b" },
        Wrong("index", "a line break") { $0.index = "a\nb" },
        Wrong("destination-index", "empty") { $0.destinationIndex = "" },
    ]

    @Test("what makes no sense is refused by field", arguments: wrong)
    func refused(wrong: Wrong) {
        do {
            _ = try job(wrong.change)
            Issue.record("accepted")
        } catch {
            guard case .field(let name, let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(name == wrong.field)
            #expect(!problem.isEmpty)
        }
    }

    @Test("64 names can be asked after")
    func manyNames() throws {
        #expect(try job { $0.skipIfPresent = (0..<64).map { "f\($0)" } }.skipExtractionIfFieldsPresent?.count == 64)
    }
}
