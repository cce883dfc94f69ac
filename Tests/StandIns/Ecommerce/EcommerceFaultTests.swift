// Tries every fault of the Ecommerce stand-in by name.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@Suite("Faults of the Ecommerce stand-in", .timeLimit(.minutes(10)))
struct EcommerceFaultTests {
    private func with(
        _ options: EcommerceOptions = EcommerceOptions(),
        clock: any Timekeeping = ManualClock(),
        _ body: (EcommerceStandIn, EcommerceTalk) async throws -> Void
    ) async throws {
        let standIn = EcommerceStandIn(options, clock: clock)
        try await withServer(standIn) { url in try await body(standIn, EcommerceTalk(url)) }
    }

    @Test(
        "an answer can be any status, once, with nothing taken",
        arguments: [400, 401, 403, 404, 413, 429, 500, 502, 503]
    )
    func statuses(status: Int) async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(.status(status), of: .write)
            let answer = try await talk.post(#"{"_id":"a"}"#)
            #expect(answer.status == status)
            #expect(answer.header("Retry-After") == nil)
            #expect(standIn.count(in: "i") == 0)
            #expect(try await talk.post(#"{"_id":"a"}"#).status == 202)
            #expect(standIn.stats.count(.write, status) == 1)
        }
    }

    @Test("a refusal can say when to come again, in seconds and as a date")
    func retryAfter() async throws {
        let clock = ManualClock(now: Timestamp(milliseconds: 784_111_777_000))
        try await with(clock: clock) { standIn, talk async throws in
            standIn.faults.script(.status(429, retryAfter: .seconds(7)), of: .write)
            standIn.faults.script(.status(503, retryAfter: .date(.seconds(60))), of: .write)
            #expect(try await talk.post(#"{"_id":"a"}"#).header("Retry-After") == "7")
            #expect(try await talk.post(#"{"_id":"a"}"#).header("Retry-After") == "Sun, 06 Nov 1994 08:50:37 GMT")
        }
    }

    @Test(
        "a connection can break before the documents are taken, and after",
        arguments: [
            (EcommerceFault.before(.reset), 0), (.before(.hangUp), 0), (.after(.reset), 1), (.after(.hangUp), 1),
        ]
    )
    func breaks(fault: EcommerceFault, held: Int) async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(fault, of: .write)
            #expect(try await talk.post(#"{"_id":"a"}"#).status == 0)
            #expect(standIn.count(in: "i") == held)
            #expect(standIn.stats.count(.write, 0) == 1)
            #expect(standIn.faults.struck == [fault.name: 1])
        }
    }

    @Test("an answer can be cut, and can be something else than JSON")
    func unreadable() async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(.after(.cut(afterBytes: 5)), of: .write)
            standIn.faults.script(.unreadable("<html>"), of: .write)
            #expect(try await talk.post(#"{"_id":"a"}"#).body == #"{"job"#)
            let answer = try await talk.post(#"{"_id":"b"}"#)
            #expect(answer.status == 200)
            #expect(answer.body == "<html>")
            #expect(standIn.count(in: "i") == 2)
        }
    }

    @Test("an answer can be late")
    func stalls() async throws {
        let clock = ManualClock()
        try await with(clock: clock) { standIn, talk async throws in
            standIn.faults.script(.after(.stall(.seconds(30))), of: .write)
            async let answer = talk.post(#"{"_id":"a"}"#)
            try await clock.sleepers(atLeast: 1)
            #expect(standIn.count(in: "i") == 1)
            clock.advance(by: .seconds(30))
            #expect(try await answer.status == 202)
        }
    }

    @Test(
        "a job can end badly in every way",
        arguments: [
            (EcommerceJobFault.fails, 200, "FAILED", nil, 0),
            (.vanishes(stored: true), 404, nil, nil, 4),
            (.vanishes(stored: false), 404, nil, nil, 0),
            (.forgets, 200, "COMPLETED", 0, 0),
            (.failsEveryItem, 200, "COMPLETED", 4, 0),
            (.failsItems(every: 3, status: 500), 200, "COMPLETED", 2, 2),
        ] as [(EcommerceJobFault, Int, String?, Int?, Int)]
    )
    func jobs(fault: EcommerceJobFault, status: Int, says: String?, failed: Int?, held: Int) async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(.job(fault), of: .write)
            let answer = try await talk.post(#"{"_id":"a"},{"_id":"b"},{"_id":"c"},{"_id":"d"}"#)
            #expect(answer.status == 202)
            let job = try await talk.job(answer)
            #expect(job.status == status)
            #expect(job.json?["status"]?.stringValue == says)
            #expect(job.json?["failedItems"]?.arrayValue?.count == failed)
            #expect(standIn.count(in: "i") == held)
        }
    }

    @Test("one write can be answered at once among others that have jobs")
    func answersAtOnce() async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(.job(.answersAtOnce), at: 2, of: .write)
            #expect(try await talk.post(#"{"_id":"a"}"#).json?["job_id"] != nil)
            #expect(try await talk.post(#"{"_id":"a"}"#).json?["items"] != nil)
        }
    }

    @Test("a job can say that it is in a state nobody knows")
    func conflict() async throws {
        try await with { standIn, talk async throws in
            standIn.faults.script(.says("CONFLICT"), of: .job)
            let answer = try await talk.post(#"{"_id":"a"}"#)
            #expect(try await talk.job(answer).json?["status"] == "CONFLICT")
            #expect(try await talk.job(answer).json?["status"] == "COMPLETED")
        }
    }

    @Test("beyond its capacity a second it refuses, until the next second or a live change")
    func perSecond() async throws {
        let clock = ManualClock()
        var options = EcommerceOptions()
        options.capacity.requestsPerSecond = 1
        try await with(options, clock: clock) { standIn, talk async throws in
            #expect(try await talk.post(#"{"_id":"a"}"#).status == 202)
            let refused = try await talk.post(#"{"_id":"b"}"#)
            #expect(refused.status == 429)
            #expect(refused.header("Retry-After") == "1")
            clock.advance(by: .seconds(1))
            #expect(try await talk.post(#"{"_id":"b"}"#).status == 202)
            #expect(try await talk.ask("PUT", "/stand-in/capacity", #"{"per_second":null}"#).status == 200)
            #expect(try await talk.post(#"{"_id":"c"}"#).status == 202)
            #expect(try await talk.ask("PUT", "/stand-in/capacity", #"{"at_once":-1}"#).status == 400)
            #expect(standIn.stats.count(.write, 429) == 1)
        }
    }

    @Test("beyond its capacity at once it refuses")
    func atOnce() async throws {
        let clock = ManualClock()
        var options = EcommerceOptions()
        options.capacity.requestsAtOnce = 1
        options.latency = .seconds(1)
        try await with(options, clock: clock) { standIn, talk async throws in
            async let first = talk.post(#"{"_id":"a"}"#)
            try await clock.sleepers(atLeast: 1)
            #expect(try await talk.post(#"{"_id":"b"}"#).status == 429)
            clock.advance(by: .seconds(1))
            #expect(try await first.status == 202)
            #expect(standIn.stats.requestsAtOnceMax == 1)
            #expect(standIn.count(in: "i") == 1)
        }
    }
}
