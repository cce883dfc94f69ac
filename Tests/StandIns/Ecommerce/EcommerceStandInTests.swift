// Tries the stand-in of the Ecommerce API call by call, against its contract.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@Suite("The Ecommerce stand-in", .timeLimit(.minutes(10)))
struct EcommerceStandInTests {
    private func with(
        _ options: EcommerceOptions = EcommerceOptions(),
        clock: any Timekeeping = ManualClock(),
        _ body: (EcommerceStandIn, EcommerceTalk) async throws -> Void
    ) async throws {
        let standIn = EcommerceStandIn(options, clock: clock)
        try await withServer(standIn) { url in try await body(standIn, EcommerceTalk(url)) }
    }

    private func options(_ change: (inout EcommerceOptions) -> Void) -> EcommerceOptions {
        var options = EcommerceOptions()
        change(&options)
        return options
    }

    @Test("documents that are posted are held, and their job completes")
    func post() async throws {
        try await with { standIn, talk async throws in
            let answer = try await talk.post(#"{"_id":"a","n":1},{"_id":"b"}"#)
            #expect(answer.status == 202)
            #expect(answer.json?["status"] == "PENDING")
            let job = try await talk.job(answer)
            #expect(job.json?["status"] == "COMPLETED")
            #expect(job.json?["failedItems"] == [])
            #expect(job.json?["total_items"] == 2)
            #expect(standIn.count(in: "i") == 2)
            #expect(standIn.document("a", in: "i") == Array(#"{"_id":"a","n":1}"#.utf8))
        }
    }

    @Test("a patch changes the listed fields of documents that are there, and no others")
    func patch() async throws {
        try await with { standIn, talk async throws in
            _ = try await talk.post(#"{"_id":"a","n":1,"m":2}"#)
            let job = try await talk.job(try await talk.patch(#"{"_id":"a","n":3,"x":[]},{"_id":"none","n":1}"#))
            #expect(job.json?["status"] == "COMPLETED")
            #expect(job.json?["failedItems"]?.arrayValue?.map { $0["_id"] } == ["none"])
            #expect(standIn.document("a", in: "i") == Array(#"{"_id":"a","n":3,"m":2,"x":[]}"#.utf8))
            #expect(standIn.document("none", in: "i") == nil)
        }
    }

    @Test("of documents with one id the last one counts")
    func lastWins() async throws {
        try await with { standIn, talk async throws in
            _ = try await talk.post(#"{"_id":"a","n":1},{"_id":"a","n":2}"#)
            #expect(standIn.document("a", in: "i") == Array(#"{"_id":"a","n":2}"#.utf8))
        }
    }

    @Test("ids are compared by their bytes, and read through escapes")
    func ids() async throws {
        try await with { standIn, talk async throws in
            _ = try await talk.post(#"{"_id":"\u00e9"},{"_id":"e\u0301"},{"_id":"a\"b"}"#)
            #expect(standIn.count(in: "i") == 3)
            #expect(standIn.document("a\"b", in: "i") != nil)
        }
    }

    @Test("a document without a good id fails alone, or fails its request", arguments: [true, false])
    func badIDs(isItem: Bool) async throws {
        try await with(options { $0.badID = isItem ? .failedItem : .badRequest }) { standIn, talk async throws in
            let answer = try await talk.post(#"{"_id":"a"},{"_id":""},{"_id":5},{"n":1},7"#)
            guard isItem else {
                #expect(answer.status == 400)
                #expect(standIn.count(in: "i") == 0)
                return
            }
            #expect(try await talk.job(answer).json?["failedItems"]?.arrayValue?.count == 4)
            #expect(standIn.count(in: "i") == 1)
        }
    }

    @Test(
        "what is no list of documents is refused",
        arguments: ["", "[]", "{}", #"{"documents":[]}"#, #"{"documents":["#]
    )
    func badBodies(body: String) async throws {
        try await with { standIn, talk async throws in
            let answer = try await talk.ask("POST", "/api/v1/indexes/i/documents", body)
            #expect(answer.status == 400)
            #expect(answer.json?["message"]?.stringValue != nil)
        }
    }

    @Test("too many documents are refused with the status that is set", arguments: [400, 413])
    func tooMany(status: Int) async throws {
        let options = options {
            $0.documentsMax = 2
            $0.tooManyStatus = status
        }
        try await with(options) { standIn, talk async throws in
            #expect(try await talk.post(#"{"_id":"a"},{"_id":"b"},{"_id":"c"}"#).status == status)
            #expect(standIn.count(in: "i") == 0)
        }
    }

    @Test("a body over the limit is refused")
    func bodyLimit() async throws {
        try await with(options { $0.bodyBytesMax = 100 }) { _, talk async throws in
            #expect(try await talk.post(#"{"_id":"\#(String(repeating: "a", count: 100))"}"#).status == 413)
            #expect(try await talk.post(#"{"_id":"a"}"#).status == 202)
        }
    }

    @Test(
        "a key is asked for if one is set",
        arguments: [
            (nil, 401), ("Authorization: Bearer right", 202), ("Authorization: Bearer wrong", 403),
            ("X-API-Key: right", 202), ("x-api-key: wrong", 403),
        ] as [(String?, Int)]
    )
    func keys(header: String?, status: Int) async throws {
        try await with(options { $0.key = "right" }) { _, talk async throws in
            let body = #"{"documents":[{"_id":"a"}]}"#
            let answer = try await talk.ask("POST", "/api/v1/indexes/i/documents", body, key: header)
            #expect(answer.status == status)
        }
    }

    @Test("an index that is not listed is not there")
    func unknownIndex() async throws {
        try await with(options { $0.indexes = ["some/where"] }) { standIn, talk async throws in
            #expect(try await talk.post(#"{"_id":"a"}"#, index: "else").status == 404)
            #expect(try await talk.post(#"{"_id":"a"}"#, index: "some%2Fwhere").status == 202)
            #expect(standIn.count(in: "some/where") == 1)
            #expect(try await talk.ask("GET", "/api/v1/indexes/else/jobs/x").status == 404)
            #expect(try await talk.ask("GET", "/api/v1/nothing").status == 404)
            #expect(try await talk.ask("GET", "/").status == 404)
        }
    }

    @Test(
        "a job is open until its time has come, in either vocabulary",
        arguments: [
            (EcommerceOptions.Vocabulary.newer, ["PENDING", "IN_PROGRESS", "COMPLETED"]),
            (.older, ["QUEUED", "RUNNING", "COMPLETED"]),
        ]
    )
    func processing(vocabulary: EcommerceOptions.Vocabulary, statuses: [String]) async throws {
        let clock = ManualClock()
        let options = options {
            $0.processing = .seconds(10)
            $0.vocabulary = vocabulary
        }
        try await with(options, clock: clock) { standIn, talk async throws in
            let answer = try await talk.post(#"{"_id":"a"}"#)
            for (number, status) in statuses.enumerated() {
                if number > 0 { clock.advance(by: .seconds(5)) }
                #expect(try await talk.job(answer).json?["status"]?.stringValue == status)
                #expect(standIn.count(in: "i") == (status == "COMPLETED" ? 1 : 0))
            }
        }
    }

    @Test("a job can stay open for some polls though it is done")
    func polls() async throws {
        try await with(options { $0.pollsBeforeEnd = 2 }) { _, talk async throws in
            let answer = try await talk.post(#"{"_id":"a"}"#)
            var statuses: [String?] = []
            for _ in 0..<3 { statuses.append(try await talk.job(answer).json?["status"]?.stringValue) }
            #expect(statuses == ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"])
        }
    }

    @Test("a job's id stands in the field that is set", arguments: ["job_id", "jobId", "id"])
    func jobField(field: String) async throws {
        try await with(options { $0.jobIDField = field }) { _, talk async throws in
            let answer = try await talk.post(#"{"_id":"a"}"#)
            #expect(try await talk.job(answer, field: field).json?["status"] == "COMPLETED")
        }
    }

    @Test("failed items come in every shape", arguments: EcommerceOptions.FailedItemsForm.allCases)
    func failedItems(form: EcommerceOptions.FailedItemsForm) async throws {
        try await with(options { $0.failedItems = form }) { _, talk async throws in
            let job = try await talk.job(try await talk.patch(#"{"_id":"a"},{"_id":"b"}"#))
            let failed = try #require(job.json?["failedItems"])
            switch form {
            case .number: #expect(failed == 2)
            case .ids: #expect(failed == ["a", "b"])
            case .objects: #expect(failed.arrayValue?.first?["status"] == 404)
            }
        }
    }

    @Test("results can come at once, without a job")
    func atOnce() async throws {
        try await with(options { $0.answersAtOnce = true }) { standIn, talk async throws in
            let answer = try await talk.post(#"{"_id":"a"},{"n":1},{"_id":"b"}"#)
            #expect(answer.status == 200)
            #expect(answer.json?["job_id"] == nil)
            #expect(answer.json?["items"]?.arrayValue?.map { $0["status"] } == [200, 400, 200])
            #expect(standIn.count(in: "i") == 2)
        }
    }
}
