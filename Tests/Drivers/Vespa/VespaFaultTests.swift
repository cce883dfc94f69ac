// Every fault of the contract, by name.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import Testing
import VespaDriver

@Suite("Vespa's faults", .timeLimit(.minutes(10)))
struct VespaFaultTests {
    struct Status: Sendable, CustomTestStringConvertible {
        let status: Int
        var retryAfter: String?
        let error: @Sendable (String) -> SourceError
        let words: String

        var testDescription: String { "\(status) \(retryAfter ?? "")" }

        static func transient(_ status: Int, _ words: String, retryAfter: String? = nil, after: Duration? = nil)
            -> Status
        {
            Status(status: status, retryAfter: retryAfter, error: { .transient($0, after: after) }, words: words)
        }

        static func stopped(_ status: Int, _ words: String) -> Status {
            Status(status: status, error: { .stopped($0) }, words: words)
        }
    }

    @Test(
        "a status has a name, and says whether to try again",
        arguments: [
            .stopped(400, "check schema, selection and field set"), .stopped(401, "access is denied"),
            .stopped(403, "access is denied"), .stopped(404, "there is no schema \"books\""),
            .stopped(405, "status 405"),
            .stopped(302, "status 302"), .transient(408, "timed out"), .transient(412, "condition"),
            .transient(413, "too large"), .transient(429, "queue is full"),
            .transient(429, "queue is full", retryAfter: "7", after: .seconds(7)),
            .transient(429, "queue is full", retryAfter: "soon"),
            .transient(429, "queue is full", retryAfter: "Sun, 06 Nov 1994 08:49:37 GMT", after: .zero),
            .transient(500, "internal error"), .transient(502, "proxy"), .transient(503, "unavailable"),
            .transient(503, "unavailable", retryAfter: "2", after: .seconds(2)), .transient(504, "no bucket"),
            .transient(507, "memory or disk"), .transient(599, "server error"),
        ] as [Status],
        Form.allCases
    )
    func statuses(status: Status, form: Form) async throws {
        try await visiting(version: form.version) { source, standIn in
            standIn.faults.stand(.status(status.status, retryAfter: status.retryAfter), for: .visit)
            for _ in 1...2 {
                let error = await #expect(throws: SourceError.self) { _ = try await source.page() }
                let reason = try #require(error).description
                #expect(error == status.error(reason))
                #expect(reason.contains(status.words))
                #expect(reason.contains("asked to answer \(status.status)"))
            }
            let described = await #expect(throws: SourceError.self) { _ = try await source.describe() }
            #expect(described?.description.contains(status.words) == true)
        }
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        let fault: VespaFault
        let lines: String
        let json: String

        var testDescription: String { fault.name }
    }

    @Test(
        "an answer that leads nowhere gives nothing, and is worth asking for again",
        arguments: [
            Broken(fault: .messageAlone, lines: "went away", json: "went away"),
            Broken(fault: .halfLine(afterBuckets: 0), lines: "is no JSON", json: "is no JSON"),
            Broken(fault: .noLastContinuation(afterBuckets: 0), lines: "no last continuation", json: "is no JSON"),
            Broken(fault: .unfinished(afterBuckets: 0), lines: "without a continuation", json: "went away"),
            Broken(fault: .badLine(afterBuckets: 0), lines: "line 1 of the answer is no JSON", json: "is no JSON"),
            Broken(fault: .connection(.reset), lines: "connection was", json: "connection was"),
            Broken(fault: .connection(.hangUp), lines: "closed", json: "closed"),
            Broken(fault: .connection(.cut(afterBytes: 0)), lines: "closed", json: "closed"),
            Broken(fault: .connection(.cut(afterBytes: 100)), lines: "closed", json: "closed"),
            Broken(fault: .connection(.raw(Array("no HTTP\r\n\r\n".utf8))), lines: "no HTTP", json: "no HTTP"),
        ],
        Form.allCases
    )
    func nowhere(broken: Broken, form: Form) async throws {
        try await visiting(version: form.version) { source, standIn in
            standIn.faults.script(broken.fault, next: 2, of: .visit)
            for _ in 1...2 {
                let error = await #expect(throws: SourceError.self) { _ = try await source.page(3, of: 4) }
                guard case .transient(let reason, nil) = error else {
                    Issue.record("\(String(describing: error)) should be worth a retry")
                    return
                }
                #expect(reason.contains(form == .lines ? broken.lines : broken.json))
            }
            let ids = try await source.drainAll(slices: 4)
            #expect(ids.count == libraryIDs.count)
            #expect(Set(ids) == libraryIDs)
        }
    }

    @Test("a server that says nothing is given up after the visit's own time-out", arguments: Form.allCases)
    func stall(form: Form) async throws {
        try await visiting(version: form.version, parameters: "timeout=1", grace: .milliseconds(50)) {
            source,
            standIn in
            standIn.faults.script(.connection(.stall(nil)), of: .visit)
            let error = await #expect(throws: SourceError.self) { _ = try await source.page() }
            #expect(error?.description.contains("time-out") == true)
            let ids = try await source.drain()
            #expect(ids.count == libraryIDs.count)
        }
    }

    @Test(
        "an answer that breaks off after a continuation counts up to it",
        arguments: [
            .message(afterBuckets: 3), .halfLine(afterBuckets: 3), .noLastContinuation(afterBuckets: 3),
            .unfinished(afterBuckets: 3), .badLine(afterBuckets: 3), .connection(.cut(afterBytes: 4000)),
            .connection(.resetAfter(bytes: 4000)),
        ] as [VespaFault]
    )
    func partial(fault: VespaFault) async throws {
        try await visiting { source, standIn in
            standIn.faults.script(fault, of: .visit)
            let first: Page
            do {
                first = try await source.page(wanted: 500)
            } catch SourceError.transient {
                // A reset may take away what had been sent before it.
                guard case .connection(.resetAfter) = fault else { throw SourceError.stopped("nothing came of it") }
                first = Page()
            }
            #expect(first.ids.count < 100)
            let rest = try await source.drain(from: first.next)
            #expect((first.ids + rest).count == libraryIDs.count)
            #expect(Set(first.ids + rest) == libraryIDs)
        }
    }

    @Test("a message beside a continuation is progress in JSON too")
    func messageInJSON() async throws {
        try await visiting(version: .old) { source, standIn in
            standIn.faults.script(.message(afterBuckets: 3), of: .visit)
            let first = try await source.page(wanted: 500)
            #expect(!first.ids.isEmpty)
            let rest = try await source.drain(from: first.next)
            #expect((first.ids + rest).count == libraryIDs.count)
        }
    }

    @Test(
        "what only looks like a fault changes nothing",
        arguments: [
            .emptyPage, .shortPage, .longPage(buckets: 40), .repeatedToken, .remarks, .asJSON,
            .connection(.stall(.milliseconds(1))),
        ] as [VespaFault],
        Form.allCases
    )
    func harmless(fault: VespaFault, form: Form) async throws {
        try await visiting(version: form.version) { source, standIn in
            for number in stride(from: 1, through: 40, by: 2) { standIn.faults.script(fault, at: number, of: .visit) }
            let first = try await source.page(1, of: 2)
            #expect(first.next != nil)
            let rest = try await source.drain(1, of: 2, from: first.next)
            let others = try await source.drain(0, of: 2)
            let ids = first.ids + rest + others
            #expect(ids.count == libraryIDs.count)
            #expect(Set(ids) == libraryIDs)
        }
    }

    @Test("a page without documents leads on", arguments: Form.allCases)
    func emptyPage(form: Form) async throws {
        try await visiting(version: form.version) { source, standIn in
            standIn.faults.script(.emptyPage, next: 2, of: .visit)
            let first = try await source.page()
            #expect(first.ids.isEmpty)
            let second = try await source.page(from: first.next)
            #expect(second.ids.isEmpty)
            #expect(second.next != first.next)
        }
    }

    @Test("the continuation that was asked with is given as it is; the engine refuses it", arguments: Form.allCases)
    func sameToken(form: Form) async throws {
        try await visiting(version: form.version) { source, standIn in
            let first = try await source.page()
            standIn.faults.script(.sameToken, of: .visit)
            let second = try await source.page(from: first.next)
            #expect(second.next == first.next)
            let rest = try await source.drain(from: first.next)
            #expect(rest.count == libraryIDs.count - first.ids.count)
        }
    }

    @Test("a message with the continuation that was asked with is no progress", arguments: Form.allCases)
    func standstill(form: Form) async throws {
        try await visiting(version: form.version) { source, standIn in
            let first = try await source.page()
            standIn.faults.script(.message(afterBuckets: 0), of: .visit)
            let error = await #expect(throws: SourceError.self) { _ = try await source.page(from: first.next) }
            #expect(error?.description.contains("went away") == true)
        }
    }

    @Test("a cancelled fetch ends at once")
    func cancelled() async throws {
        try await visiting { source, standIn in
            standIn.faults.stand(.connection(.stall(nil)), for: .visit)
            let error = await withTaskGroup(of: SourceError?.self) { group in
                group.addTask {
                    var page = SourcePage()
                    do throws(SourceError) {
                        try await source.fetch(PageRequest(slice: 0, slices: 1, continuation: nil), into: &page)
                        return nil
                    } catch {
                        return error
                    }
                }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.description.contains("cancelled") == true)
        }
    }

    @Test("a bearer token goes with every request, and into no message")
    func bearer() async throws {
        var options = HTTPOptions()
        options.secretHeader = HTTPSecretHeader(name: "Authorization", value: "Bearer hush")
        try await visiting(options: options) { source, standIn in
            standIn.faults.script(.status(403), of: .visit)
            let error = await #expect(throws: SourceError.self) { _ = try await source.page() }
            #expect(error?.description.contains("hush") == false)
            #expect(standIn.lastHeader("Authorization") == "Bearer hush")
        }
    }
}
