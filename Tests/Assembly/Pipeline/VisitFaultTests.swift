// What can go wrong with Vespa while a job visits it, by name: it goes on exactly, or it pauses with the reason and then does.
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

@Suite("A visit that fails", .timeLimit(.minutes(10)))
struct VisitFaultTests {
    /// A fault, and which of the visits after the job's creation get it; the first of those is the launch's own look.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: VespaFault
        var visits: [Int] = []

        var testDescription: String { visits.isEmpty ? "\(name), always" : "\(name), at \(visits)" }

        static func some(_ name: String, _ fault: VespaFault) -> Case {
            Case(name: name, fault: fault, visits: [1, 2, 4])
        }

        static func always(_ name: String, _ fault: VespaFault) -> Case { Case(name: name, fault: fault) }
    }

    static let passing: [Case] = [
        .some("200 with a message and a continuation", .message(afterBuckets: 1)),
        .some("200 with a message at once", .message(afterBuckets: 0)),
        .some("200 with a message alone", .messageAlone),
        .some("half a line, nothing before it", .halfLine(afterBuckets: 0)),
        .some("half a line after a continuation", .halfLine(afterBuckets: 1)),
        .some("cut between documents", .noLastContinuation(afterBuckets: 1)),
        .some("an end that is none", .unfinished(afterBuckets: 1)),
        .some("a line that is no JSON", .badLine(afterBuckets: 1)),
        .some("a connection cut in the body", .connection(.cut(afterBytes: 300))),
        .some("a connection reset in the body", .connection(.resetAfter(bytes: 300))),
        .some("a connection reset at once", .connection(.reset)),
        .some("a connection closed at once", .connection(.hangUp)),
        .some("an answer that is no HTTP", .connection(.raw(Array("SSH-2.0-x\r\n".utf8)))),
        Case(name: "pages without documents", fault: .emptyPage, visits: [2, 3, 4, 5, 6]),
        .always("every continuation twice", .repeatedToken),
        .always("pages of one bucket", .shortPage),
        .always("pages longer than wanted", .longPage(buckets: 7)),
        .always("lines of other kinds", .remarks),
        .always("JSON although lines were asked for", .asJSON),
        Case(name: "a storm of 429", fault: .status(429), visits: Array(1...6)),
        Case(name: "500", fault: .status(500), visits: Array(1...5)),
        Case(name: "503", fault: .status(503), visits: [1, 3, 5]),
        Case(name: "504", fault: .status(504), visits: [2, 3]),
        Case(name: "429 with Retry-After in seconds", fault: .status(429, retryAfter: "1"), visits: [1, 3]),
        Case(
            name: "503 with Retry-After as a date",
            fault: .status(503, retryAfter: "Sun, 06 Nov 1994 08:49:37 GMT"),
            visits: [1, 3]
        ),
    ]

    @Test("leaves nothing out and counts nothing twice", arguments: passing)
    func passes(plan: Case) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            world.strike(plan)
            try await world.work()
            try await world.expectArrived(id)
            #expect(world.vespa.faults.struck[plan.fault.name, default: 0] >= max(1, plan.visits.count))
        }
    }

    @Test("is not tried again before the time that Retry-After names", arguments: [false, true], [1, 2])
    func waits(asDate: Bool, visit: Int) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            let now = world.deployment.context.clock.now
            // A date has no fraction of a second, so this one is over a second ahead.
            let retryAfter = asDate ? EcommerceStandIn.date(now.advanced(by: .seconds(3))) : "2"
            world.strike(Case(name: "", fault: .status(503, retryAfter: retryAfter), visits: [visit]))
            try await world.work()
            #expect(now.duration(to: world.deployment.context.clock.now) >= .milliseconds(1900))
            try await world.expectArrived(id)
        }
    }

    @Test("is given up by its time-out when nothing comes, and goes on")
    func stalls() async throws {
        try await PipelineWorld.run {
            $0.visitParameters = "?timeout=1"
        } _: { world in
            let id = try await world.start()
            world.strike(Case(name: "", fault: .connection(.stall(nil)), visits: [2, 4]))
            try await world.work()
            try await world.expectArrived(id)
            #expect(world.vespa.faults.struck["stall"] == 2)
        }
    }

    /// What nobody but somebody outside can mend.
    struct Lasting: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: VespaFault
        let reason: String

        var testDescription: String { name }
    }

    static let lasting = [
        Lasting(name: "the same token for ever", fault: .sameToken, reason: "no progress is possible"),
        Lasting(name: "a message for ever", fault: .messageAlone, reason: "failed 8 times"),
        Lasting(name: "half a line for ever", fault: .halfLine(afterBuckets: 0), reason: "failed 8 times"),
        Lasting(name: "429 for ever", fault: .status(429), reason: "failed 8 times"),
        Lasting(name: "resets for ever", fault: .connection(.reset), reason: "failed 8 times"),
        Lasting(name: "a request that is refused", fault: .status(400), reason: "refused (400)"),
        Lasting(name: "access that is denied", fault: .status(403), reason: "access is denied (403)"),
        Lasting(name: "a schema that is gone", fault: .status(404), reason: "no schema \"products\""),
    ]

    @Test(
        "for good pauses the job with the reason; what was read is delivered, and a resume completes it",
        arguments: lasting
    )
    func pauses(plan: Lasting) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start { $0.pageSize = 5 }
            let looked = world.vespa.faults.requests[.visit, default: 0]
            // The launch looks, and each slice has its first page.
            for number in looked + 4...looked + 200 { world.vespa.faults.script(plan.fault, at: number, of: .visit) }
            try await world.work()
            let arrived = world.ecommerce.count(in: "target")
            #expect((1..<world.products.count).contains(arrived))
            try await world.expect(id, .paused, Sheet(completed: arrived), reason: plan.reason)
            world.vespa.faults.unscript()
            try await world.resume(id)
            try await world.expectArrived(id)
        }
    }

    @Test("at the launch for good pauses the job before it has read anything", arguments: lasting.dropFirst())
    func pausesLaunch(plan: Lasting) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            world.vespa.faults.stand(plan.fault, for: .visit)
            try await world.work()
            try await world.expect(id, .paused, Sheet(), reason: plan.reason)
            #expect(world.ecommerce.stats.answers.isEmpty)
            world.vespa.faults.stand(nil, for: .visit)
            try await world.resume(id)
            try await world.expectArrived(id)
        }
    }
}

extension PipelineWorld {
    fileprivate func strike(_ plan: VisitFaultTests.Case) {
        guard !plan.visits.isEmpty else { return vespa.faults.stand(plan.fault, for: .visit) }
        let before = vespa.faults.requests[.visit, default: 0]
        for visit in plan.visits { vespa.faults.script(plan.fault, at: before + visit, of: .visit) }
    }
}
