// Tries reading back: by id, and page by page.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import EcommerceDriver

@Suite("Reading from the Ecommerce API", .timeLimit(.minutes(10)))
struct ReadTests {
    @Test("documents come back as they are held, in the order asked for, nil where there is none")
    func byID() async throws {
        try await SinkWorld.run { world async throws in
            _ = try await world.deliver([#"{"_id":"a","n":1.50,"o":{"_found":3}}"#, #"{"_id":"\u00e9"}"#])
            let found = try await world.sink.read(["none", "é", "a", "e\u{301}", "a"])
            #expect(found == [nil, ["_id": "é"], try .parse(#"{"_id":"a","n":1.50,"o":{"_found":3}}"#), nil, found[2]])
            #expect(try await world.sink.read([]).isEmpty)
        }
    }

    @Test(
        "what can't be read is an error worth another try, or one for a person",
        arguments: [
            (EcommerceFault.status(500), false), (.status(429), false), (.before(.reset), false),
            (.unreadable("{}"), false), (.unreadable(#"{"results":[]}"#), false),
            (.unreadable(#"{"results":[{"_found":true}]}"#), false), (.status(401), true), (.status(404), true),
            (.status(400), true),
        ]
    )
    func errors(fault: EcommerceFault, isStopped: Bool) async throws {
        try await SinkWorld.run { world async throws in
            world.standIn.faults.script(fault, of: .read)
            let error = await #expect(throws: SinkError.self) { try await world.sink.read(["a"]) }
            if case .stopped? = error { #expect(isStopped) } else { #expect(!isStopped) }
        }
    }

    @Test("everything is listed, page by page, in the order of ids")
    func listing() async throws {
        try await SinkWorld.run { world async throws in
            let ids = (0..<25).map { "x/y &\($0)" }
            _ = try await world.deliver(ids.map { #"{"_id":"\#($0)"}"# })
            var listed: [String] = []
            var cursor: String?
            repeat {
                let page = try #require(try await world.sink.list(after: cursor, limit: 10))
                listed += page.entries.map(\.id)
                #expect(page.entries.allSatisfy { $0.record["_id"]?.stringValue == $0.id })
                cursor = page.next
            } while cursor != nil
            #expect(listed == ids.sorted())
        }
    }

    @Test("an index that holds nothing is listed as such")
    func nothing() async throws {
        try await SinkWorld.run { world async throws in
            let page = try #require(try await world.sink.list(after: nil, limit: 10))
            #expect(page.entries.isEmpty)
            #expect(page.next == nil)
        }
    }

    @Test("a server that lists nothing says so by knowing no such path")
    func cannotList() async throws {
        var options = EcommerceOptions()
        options.listsDocuments = false
        try await SinkWorld.run(options) { world async throws in
            let page = try await world.sink.list(after: nil, limit: 10)
            #expect(page == nil)
        }
    }
}
