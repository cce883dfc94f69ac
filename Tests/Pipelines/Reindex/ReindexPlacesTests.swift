// What a reindex reads and writes, by what was asked for and by the index's record.
import SluiceCore
import SluiceTestKit
import Testing

@testable import ReindexPipeline

@Suite("Places of a reindex")
struct ReindexPlacesTests {
    private let now = Timestamp(milliseconds: 1_700_000_000_000)
    private let places = ReindexPlaces(vespa: "vespa+http://v:8080", ecommerce: "ecommerce+https://e/api/v1")

    private func details(shop: String? = "s1") -> IndexDetails {
        IndexDetails(
            systemAccountID: "a",
            indexName: "i",
            metadata: .init(shopID: shop),
            kind: .semiStructured,
            now: now
        )
    }

    private func job(_ request: ReindexRequest, shop: String? = "s1", set: ReindexPlaces? = nil) throws(JobError) -> Job
    {
        let needed = try request.indexNeeded()
        return try request.job(
            id: JobID(now: now, random: SeededRandomSource(seed: 1)),
            now: now,
            details: needed == nil ? nil : details(shop: shop),
            places: set ?? places
        )
    }

    @Test("account and index are enough where the settings name the services")
    func implied() throws {
        let job = try job(Self.indexed())
        #expect(job.source == "vespa+http://v:8080")
        #expect(job.sink == "ecommerce+https://e/api/v1")
        #expect(job.shape == .vespa)
        #expect(job.index == details())
        #expect(job.targetIndexName == "i")
    }

    @Test("a sink that is named wins over the one that the record implies")
    func named() throws {
        #expect(try job(Self.indexed(nil, "file:///out.jsonl")).sink == "file:///out.jsonl")
        #expect(try job(Self.indexed("vespa+https://other")).source == "vespa+https://other")
    }

    @Test("a Classic index delivers nothing", arguments: [String?.none, "noop:", "classic:"])
    func classic(sink: String?) throws {
        #expect(try job(Self.indexed(nil, sink), shop: nil).sink == sink ?? "classic:")
    }

    @Test("files need no record, unless they hold what Vespa keeps")
    func files() throws {
        let request = ReindexRequest(source: "file:///in.jsonl", sink: "noop:")
        #expect(try job(request).index == nil)
        #expect(try job(request).shape == .plain)
        var shaped = Self.indexed("file:///in.jsonl", "noop:")
        shaped.shape = .vespa
        #expect(try job(shaped).index != nil)
        #expect(try job(shaped).shape == .vespa)
    }

    struct Wrong: Sendable, CustomTestStringConvertible {
        let field: String
        let testDescription: String
        let request: ReindexRequest
        var shop: String? = "s1"
        var set: ReindexPlaces?

        init(
            _ field: String,
            _ description: String,
            _ request: ReindexRequest,
            shop: String? = "s1",
            set: ReindexPlaces? = nil,
            _ change: (inout ReindexRequest) -> Void = { _ in }
        ) {
            self.field = field
            testDescription = description
            var request = request
            change(&request)
            self.request = request
            self.shop = shop
            self.set = set
        }
    }

    private static func indexed(_ source: String? = nil, _ sink: String? = nil) -> ReindexRequest {
        var request = ReindexRequest(source: source, sink: sink)
        request.account = "a"
        request.index = "i"
        return request
    }

    static let wrong: [Wrong] = [
        Wrong("source", "nothing at all", ReindexRequest()),
        Wrong("sink", "a file and no sink", ReindexRequest(source: "file:///in.jsonl")),
        Wrong("account", "Vespa without an account", ReindexRequest(source: "vespa+http://v", sink: "noop:")) {
            $0.index = "i"
        },
        Wrong("index", "Vespa without an index", ReindexRequest(source: "vespa+http://v", sink: "noop:")) {
            $0.account = "a"
        },
        Wrong("account", "a file for the API", ReindexRequest(source: "file:///in", sink: "ecommerce+http://e")),
        Wrong("source", "no Vespa set", indexed(), set: ReindexPlaces(ecommerce: "ecommerce+http://e")),
        Wrong("sink", "no API set", indexed(), set: ReindexPlaces(vespa: "vespa+http://v")),
        Wrong("sink", "a Classic index with a sink", indexed(nil, "ecommerce+http://e"), shop: nil),
        Wrong("shape", "plain documents in Vespa", indexed()) { $0.shape = .plain },
        Wrong("id-field", "another id in Vespa", indexed()) { $0.idField = "sku" },
        Wrong("id-field", "another id for the API", indexed("file:///in", "ecommerce+http://e")) { $0.idField = "sku" },
    ]

    @Test("what can't be placed is refused by field", arguments: ReindexPlacesTests.wrong)
    func refused(wrong: Wrong) {
        do {
            _ = try job(wrong.request, shop: wrong.shop, set: wrong.set)
            Issue.record("accepted")
        } catch {
            guard case .field(let name, let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(name == wrong.field, "\(problem)")
        }
    }
}
