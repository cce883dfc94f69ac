// Tries what becomes of deliveries, by every answer of the contract.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import EcommerceDriver

@Suite("Delivering to the Ecommerce API", .timeLimit(.minutes(10)))
struct DeliverTests {
    @Test("records go as they are, and the receipt is the job", arguments: ["job_id", "jobId", "id"])
    func accepts(field: String) async throws {
        var options = EcommerceOptions()
        options.jobIDField = field
        try await SinkWorld.run(options) { world async throws in
            let records = [#"{"_id":"a", "n" : 1.50}"#, #"{"t":"ü\u00e9","_id":"b"}"#]
            let answer = try await world.deliver(records)
            #expect(answer.told.kind == "accepted")
            #expect(try await world.confirm(answer.told.reason, records).letters == "cc")
            for (id, record) in zip(["a", "b"], records) {
                #expect(world.standIn.document(id, in: SinkWorld.index) == Array(record.utf8))
            }
            #expect(world.standIn.stats.count(.write) == 1)
        }
    }

    @Test("200 is as good as 202", arguments: [200, 202])
    func acceptedStatus(status: Int) async throws {
        var options = EcommerceOptions()
        options.acceptedStatus = status
        try await SinkWorld.run(options) { world async throws in
            #expect(try await world.deliver(SinkWorld.records("a")).told.kind == "accepted")
        }
    }

    @Test("a patch changes what is there")
    func patches() async throws {
        try await SinkWorld.run(type: .patch) { world async throws in
            #expect(try await world.settle([#"{"_id":"a","n":1}"#]).letters == "r")
            #expect(world.standIn.stats.count(.update, 202) == 1)
            #expect(world.standIn.stats.count(.write) == 0)
        }
    }

    @Test("only the positions that are asked for are sent")
    func positions() async throws {
        try await SinkWorld.run { world async throws in
            let request = try SinkWorld.request(SinkWorld.records("a", "b", "c"), positions: [0, 2])
            #expect(await world.sink.deliver(request).told.kind == "accepted")
            #expect(world.standIn.document("b", in: SinkWorld.index) == nil)
            #expect(world.standIn.count(in: SinkWorld.index) == 2)
        }
    }

    @Test("the body has exactly the size that was asked for", arguments: [1, 2, 100])
    func size(count: Int) throws {
        let records = (0..<count).map { #"{"_id":"\#($0)"}"# }
        let body = EcommerceSink.body(try SinkWorld.request(records))
        #expect(body.count == 16 + records.reduce(0) { $0 + $1.utf8.count } + count - 1)
    }

    @Test("the body holds the wanted documents as they are", arguments: [[0, 1, 2], [0, 2], [1], [2, 1, 0], []])
    func documents(positions: [Int]) throws {
        let records = [#"{"_id":"a","line":"x, y"}"#, #"{"_id":"b"}"#, #"{"_id":"c","n":[1,2]}"#]
        let all = try SinkWorld.request(records)
        let request = DeliveryRequest(chunk: all.chunk, positions: positions, records: all.records)
        let text = EcommerceSink.body(request).withBytes { String(decoding: $0, as: UTF8.self) }
        #expect(text == #"{"documents":["# + positions.map { records[$0] }.joined(separator: ",") + "]}")
    }

    @Test("results without a job are final for each record")
    func answersAtOnce() async throws {
        var options = EcommerceOptions()
        options.answersAtOnce = true
        try await SinkWorld.run(options, type: .patch) { world async throws in
            let answer = try await world.deliver(SinkWorld.records("a", "b"))
            guard case .answered(let outcomes, nil) = answer else {
                Issue.record("not answered: \(answer)")
                return
            }
            #expect(outcomes.letters == "rr")
            #expect(outcomes.first == .refused(reason: "item status 404: the document does not exist in the index"))
        }
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var fault: EcommerceFault
        var kind: String
        var says = ""
        var after: Duration?

        var testDescription: String { "\(fault.name) is \(kind)" }
    }

    @Test(
        "every fault has its answer",
        arguments: [
            Row(fault: .status(400, message: "bad field x"), kind: "refused", says: "400: bad field x"),
            Row(fault: .status(413), kind: "refused", says: "413"),
            Row(fault: .status(422), kind: "refused", says: "422"),
            Row(fault: .status(401), kind: "halted", says: "key"),
            Row(fault: .status(403), kind: "halted", says: "key"),
            Row(fault: .status(404), kind: "halted", says: "index"),
            Row(fault: .status(302), kind: "halted", says: "URL"),
            Row(fault: .status(405), kind: "halted", says: "URL"),
            Row(fault: .status(501), kind: "halted", says: "URL"),
            Row(fault: .status(429), kind: "overloaded", says: "429"),
            Row(fault: .status(429, retryAfter: .seconds(7)), kind: "overloaded", after: .seconds(7)),
            Row(fault: .status(429, retryAfter: .date(.seconds(90))), kind: "overloaded", after: .seconds(90)),
            Row(fault: .status(500, message: "oh"), kind: "unknown", says: "500: oh"),
            Row(fault: .status(502), kind: "unknown", says: "502"),
            Row(fault: .status(502, retryAfter: .seconds(3)), kind: "unknown", after: .seconds(3)),
            Row(fault: .status(503), kind: "unknown", says: "503"),
            Row(fault: .status(503, retryAfter: .seconds(3)), kind: "overloaded", after: .seconds(3)),
            Row(fault: .status(409), kind: "unknown", says: "409"),
            Row(fault: .before(.reset), kind: "unknown"),
            Row(fault: .before(.hangUp), kind: "unknown"),
            Row(fault: .after(.reset), kind: "unknown"),
            Row(fault: .after(.hangUp), kind: "unknown"),
            Row(fault: .after(.cut(afterBytes: 3)), kind: "unknown"),
            Row(fault: .after(.resetAfter(bytes: 3)), kind: "unknown"),
            Row(fault: .after(.raw(Array("no HTTP".utf8))), kind: "unknown"),
            Row(fault: .unreadable("<html>"), kind: "unknown", says: "no JSON"),
            Row(fault: .unreadable("{}"), kind: "unknown", says: "neither a job nor results"),
            Row(fault: .unreadable(#"{"job_id":""}"#), kind: "unknown", says: "neither a job nor results"),
            Row(fault: .unreadable(#"{"items":7}"#), kind: "unknown", says: "neither a job nor results"),
            Row(fault: .unreadable(#"{"jobId":77}"#), kind: "accepted", says: "77"),
        ]
    )
    func faults(row: Row) async throws {
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(row.fault, of: .write)
            let told = try await world.deliver(SinkWorld.records("a")).told
            #expect(told.kind == row.kind)
            #expect(told.reason.contains(row.says), "\(told.reason)")
            #expect(told.after == row.after)
            #expect(world.standIn.faults.struck == [row.fault.name: 1])
            // What went wrong with one delivery is over with the next.
            #expect(try await world.settle(SinkWorld.records("a")).letters == "c")
        }
    }

    @Test("a server that never answers is unknown once the time is up")
    func stalls() async throws {
        var http = HTTPOptions()
        http.requestTimeout = .milliseconds(300)
        try await SinkWorld.run(http: http) { world async throws in
            world.standIn.faults.script(.before(.stall(nil)), of: .write)
            #expect(try await world.deliver(SinkWorld.records("a")).told.kind == "unknown")
        }
    }

    @Test("a server that is not there is unknown")
    func nobody() async throws {
        let url = try await withServer(EcommerceStandIn()) { url async throws in url }
        let sink = try EcommerceSink(url: EcommerceURL("ecommerce+\(url)", field: "sink"), index: "i", type: .post)
        let told = await sink.deliver(try SinkWorld.request(SinkWorld.records("a"))).told
        #expect(told.kind == "unknown")
        #expect(told.after == nil)
        await sink.peer.shutdown()
    }

    @Test("results are read by id: the worse of two counts, silence means again")
    func items() async throws {
        let items = #"""
            {"items":[{"_id":"a","status":200},{"_id":"b","status":429,"error":"busy"},{"_id":"c","status":400},
            {"_id":"d"},{"_id":"e","error":"no status"},{"_id":7,"status":201},{"_id":"b","status":200},{"_id":"zz"}]}
            """#
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(.unreadable(items), of: .write)
            let records = SinkWorld.records("a", "b", "c", "d", "e") + [#"{"_id":7}"#] + SinkWorld.records("f", "a")
            guard case .answered(let outcomes, nil) = try await world.deliver(records) else {
                Issue.record("not answered")
                return
            }
            #expect(outcomes.letters == "ctrcrctc")
            #expect(outcomes[1] == .retry(reason: "item status 429: busy"))
        }
    }

    @Test("a wrong key, or none, halts and says so, and is never shown", arguments: EcommerceKey.Header.allCases)
    func keys(header: EcommerceKey.Header) async throws {
        var options = EcommerceOptions()
        options.key = "right-key"
        try await SinkWorld.run(options, key: "right-key", header: header) { world async throws in
            #expect(try await world.settle(SinkWorld.records("a")).letters == "c")
            world.standIn.faults.script(.status(400, message: "what is right-key?"), of: .write)
            let told = try await world.deliver(SinkWorld.records("a")).told
            #expect(told.reason == "the server answered 400: what is (key)?")
        }
        try await SinkWorld.run(options, key: "wrong-key", header: header) { world async throws in
            let told = try await world.deliver(SinkWorld.records("a")).told
            #expect(told.kind == "halted")
            #expect(told.reason.contains("check the key"))
            #expect(!told.reason.contains("wrong-key"))
        }
        try await SinkWorld.run(options) { world async throws in
            #expect(try await world.deliver(SinkWorld.records("a")).told.reason.contains("no API key is set"))
        }
    }

    @Test("however a sink or a key is printed, the key is not in it")
    func secrecy() throws {
        let key = try EcommerceKey("right-key", field: "key")
        let url = try EcommerceURL("ecommerce+http://localhost", field: "sink")
        let sink = try EcommerceSink(url: url, index: "i", type: .post, key: key)
        var dumped = ""
        dump(sink, to: &dumped)
        dump(key, to: &dumped)
        #expect(!("\(key) \(String(reflecting: key)) \(sink) \(dumped)".contains("right-key")))
    }

    @Test("a key that no header can hold is refused without being shown", arguments: ["", "a b", "a\n", "ü"])
    func badKeys(text: String) {
        let error = #expect(throws: JobError.self) { try EcommerceKey(text, field: "ecommerce.key") }
        #expect(error?.description.hasPrefix("ecommerce.key: ") == true)
        if !text.isEmpty { #expect(error?.description.contains(text) == false) }
    }
}
