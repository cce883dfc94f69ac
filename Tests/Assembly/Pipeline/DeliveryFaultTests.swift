// What can go wrong with the Ecommerce API while a job delivers to it, by name, and what becomes of the records.
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

@Suite("A delivery that fails", .timeLimit(.minutes(10)))
struct DeliveryFaultTests {
    /// A fault of one kind of request, and how many of the first ones get it.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var kind = EcommerceRequestKind.write
        var fault: EcommerceFault?
        var times = 2
        var change: @Sendable (inout PipelineWorld.Plan) -> Void = { _ in }

        var testDescription: String { name }
    }

    static let passing: [Case] = [
        Case(name: "reset before anything is done", fault: .before(.reset)),
        Case(name: "reset after it was done", fault: .after(.reset)),
        Case(name: "closed without an answer", fault: .before(.hangUp)),
        Case(name: "closed in the answer", fault: .after(.cut(afterBytes: 5))),
        Case(name: "an answer that is no HTTP", fault: .after(.raw(Array("nonsense\r\n\r\n".utf8)))),
        Case(name: "an answer that is no JSON", fault: .unreadable("<html>"), times: 4),
        Case(name: "an answer without a job", fault: .unreadable("{}"), times: 4),
        Case(name: "a storm of 429", fault: .status(429), times: 60),
        Case(name: "500", fault: .status(500)), Case(name: "502", fault: .status(502)),
        Case(name: "503", fault: .status(503)), Case(name: "408", fault: .status(408)),
        Case(name: "409", fault: .status(409)),
        Case(name: "more documents than the server takes", fault: nil) {
            $0.ecommerce.documentsMax = 3
            $0.ecommerce.tooManyStatus = 413
        },
        Case(name: "a body that stalls", fault: .after(.stall(nil))) { $0.requestTimeout = .seconds(1) },
        Case(name: "jobs that fail", fault: .job(.fails)),
        Case(name: "a job id that turns 404, its documents lost", fault: .job(.vanishes(stored: false))) {
            $0.engine.confirmDeadline = .milliseconds(300)
        },
        Case(name: "a job id that turns 404, its documents stored", fault: .job(.vanishes(stored: true))) {
            $0.engine.confirmDeadline = .milliseconds(300)
        },
        Case(name: "answers with each document's result", fault: .job(.answersAtOnce)),
        Case(name: "items that fail for a moment", fault: .job(.failsItems(every: 3, status: 429))),
        Case(name: "items that fail with 503", fault: .job(.failsItems(every: 1, status: 503))),
        Case(name: "questions reset", kind: .job, fault: .before(.reset)),
        Case(name: "questions answered 500", kind: .job, fault: .status(500), times: 5),
        Case(name: "questions answered 429", kind: .job, fault: .status(429, retryAfter: .seconds(1))),
        Case(name: "questions answered with nonsense", kind: .job, fault: .unreadable("[]"), times: 5),
        Case(name: "questions that stall", kind: .job, fault: .before(.stall(nil))) { $0.requestTimeout = .seconds(1) },
        Case(name: "a status that nobody knows", kind: .job, fault: .says("ON_HOLD"), times: 5),
        Case(name: "a job that is unknown for a moment", kind: .job, fault: .status(404), times: 3),
        Case(name: "the older words", fault: nil) {
            $0.ecommerce.vocabulary = .older
            $0.ecommerce.jobIDField = "jobId"
            $0.ecommerce.acceptedStatus = 200
            $0.ecommerce.pollsBeforeEnd = 2
        },
    ]

    @Test("for a moment is made good: all arrive, each counted once", arguments: passing)
    func passes(plan: Case) async throws {
        try await PipelineWorld.run(Product.plain(40), plan.change) { world in
            let id = try await world.start()
            if let fault = plan.fault { world.ecommerce.faults.script(fault, next: plan.times, of: plan.kind) }
            try await world.work()
            try await world.expectArrived(id)
            if let fault = plan.fault { #expect(world.ecommerce.faults.struck[fault.name] == plan.times) }
        }
    }

    @Test("is not tried again before the time that Retry-After names", arguments: [false, true], [429, 503])
    func waits(asDate: Bool, status: Int) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start { $0.concurrency = 1 }
            let now = world.deployment.context.clock.now
            let retryAfter: EcommerceOptions.RetryAfter = asDate ? .date(.seconds(3)) : .seconds(2)
            world.ecommerce.faults.script(.status(status, retryAfter: retryAfter), of: .write)
            try await world.work()
            #expect(now.duration(to: world.deployment.context.clock.now) >= .milliseconds(1900))
            try await world.expectArrived(id)
        }
    }

    @Test("for a batch is looked for in its halves", arguments: [400, 413, 422])
    func halves(status: Int) async throws {
        try await PipelineWorld.run(Product.plain(20)) { world in
            let id = try await world.start {
                $0.concurrency = 1
                $0.pageSize = 100
            }
            world.ecommerce.faults.script(.status(status), next: 2, of: .write)
            try await world.work()
            try await world.expectArrived(id)
            #expect(world.ecommerce.stats.count(.write) == 6)
        }
    }

    /// A fault for ever, and which dead letters it makes.
    struct Lasting: Sendable, CustomTestStringConvertible {
        let name: String
        var kind = EcommerceRequestKind.write
        let fault: EcommerceFault
        /// Whether the records were accepted before they died.
        var isAccepted = false
        let reason: String
        var change: @Sendable (inout PipelineWorld.Plan) -> Void = { $0.engine.attemptsMax = 3 }

        var testDescription: String { name }
    }

    static let lasting = [
        Lasting(name: "400", fault: .status(400), reason: "the server answered 400: by plan"),
        Lasting(name: "413", fault: .status(413), reason: "the server answered 413: by plan"),
        Lasting(
            name: "COMPLETED with every item failed",
            fault: .job(.failsEveryItem),
            isAccepted: true,
            reason: "item status 400: by plan"
        ),
        Lasting(
            name: "items that fail for a moment, for ever",
            fault: .job(.failsItems(every: 1, status: 503)),
            isAccepted: true,
            reason: "gave up after 3 attempts: item status 503: by plan"
        ),
        Lasting(
            name: "jobs that fail",
            fault: .job(.fails),
            isAccepted: true,
            reason: "gave up after 3 attempts: the job"
        ),
        Lasting(
            name: "job ids that turn 404",
            fault: .job(.vanishes(stored: false)),
            isAccepted: true,
            reason: "gave up after 3 attempts: the sink does not know its receipt any more"
        ) {
            $0.engine.attemptsMax = 3
            $0.engine.confirmDeadline = .milliseconds(100)
        },
        Lasting(
            name: "jobs that never end",
            kind: .job,
            fault: .says("IN_PROGRESS"),
            isAccepted: true,
            reason: "confirmation_timeout"
        ) {
            $0.engine.confirmDeadline = .milliseconds(100)
        },
    ]

    @Test(
        "for good makes dead letters with the reason, and once it is mended a redrive completes the job",
        arguments: lasting
    )
    func dies(plan: Lasting) async throws {
        try await PipelineWorld.run(Product.plain(25), plan.change) { world in
            let id = try await world.start()
            world.ecommerce.faults.stand(plan.fault, for: plan.kind)
            try await world.work()
            let count = world.products.count
            let sheet = plan.isAccepted ? Sheet(failed: count) : Sheet(refused: count)
            try await world.expect(id, .completedWithFailures, sheet, reason: "25 records are dead letters")
            let wanted = world.products.map { ($0.id, plan.reason) }
            try await world.expectDead(id, Dictionary(uniqueKeysWithValues: wanted))
            world.ecommerce.faults.stand(nil, for: plan.kind)
            #expect(try await world.deployment.deadLetters.redrive(id) == count)
            try await world.work()
            try await world.expectArrived(id)
        }
    }

    @Test(
        "for some items makes dead letters of those, however the server names them",
        arguments: EcommerceOptions.FailedItemsForm.allCases
    )
    func someItems(form: EcommerceOptions.FailedItemsForm) async throws {
        try await PipelineWorld.run(Product.plain(9)) {
            $0.ecommerce.failedItems = form
        } _: { world in
            let id = try await world.start { $0.concurrency = 1 }
            world.ecommerce.faults.script(.job(.failsItems(every: 3, status: nil)), of: .write)
            try await world.work()
            try await world.expect(id, .completedWithFailures, Sheet(failed: 3, completed: 6))
            let reason =
                switch form {
                case .objects: "item status 400: by plan"
                case .ids: "the server says that the item failed, and not why"
                case .number: "counts 3 failed items and does not name them; it is missing"
                }
            try await world.expectDead(id, ["d0": reason, "d3": reason, "d6": reason])
            world.expectHeld(world.products.filter { !["d0", "d3", "d6"].contains($0.id) })
            #expect(try await world.deployment.deadLetters.redrive(id, recordIDs: ["d3"]) == 1)
            try await world.work()
            try await world.expect(id, .completedWithFailures, Sheet(failed: 2, completed: 7))
            #expect(try await world.deployment.deadLetters.redrive(id) == 2)
            try await world.work()
            try await world.expectArrived(id)
        }
    }

    @Test("for a number of items that are there in an older version is found by halves")
    func someOlderItems() async throws {
        try await PipelineWorld.run(Product.plain(9)) {
            $0.ecommerce.failedItems = .number
        } _: { world in
            for product in world.products {
                world.ecommerce.put(#"{"_id":"\#(product.id)","n":-1}"#, as: product.id, in: "target")
            }
            let id = try await world.start { $0.concurrency = 1 }
            world.ecommerce.faults.script(.job(.failsItems(every: 3, status: nil)), of: .write)
            try await world.work()
            try await world.expectArrived(id)
        }
    }

    @Test("for two documents of one id makes both dead, and a redrive of both completes them")
    func duplicates() async throws {
        var products = Product.plain(4)
        products[1].vespaID = "other key"
        products[3] = Product(
            "d1",
            fields: products[3].fields.replacing("d3", with: "d1"),
            sent: #"{"_id":"d1","title":"T3","n":3}"#
        )
        try await PipelineWorld.run(products) { world in
            let id = try await world.start { $0.concurrency = 1 }
            world.ecommerce.faults.script(.job(.failsEveryItem), of: .write)
            try await world.work()
            try await world.expect(id, .completedWithFailures, Sheet(failed: 4))
            #expect(try await world.deployment.deadLetters.redrive(id) == 4)
            try await world.work()
            try await world.expect(id, .completed, Sheet(completed: 4))
            world.expectHeld([products[0], products[2], products[3]])
        }
    }

    struct Halting: Sendable, CustomTestStringConvertible {
        let name: String
        let fault: EcommerceFault
        let words: String

        var testDescription: String { name }

        static func status(_ status: Int, _ words: String) -> Halting {
            Halting(name: "\(status)", fault: .status(status), words: words)
        }
    }

    static let halting: [Halting] = [
        .status(401, "the API key is not valid"), .status(403, "the API key is not valid"),
        .status(404, "check that the index target exists"), .status(405, "leads to an Ecommerce API"),
        .status(302, "leads to an Ecommerce API"),
        .status(500, "the destination took nothing in 3 attempts: the server answered 500: by plan"),
        .status(409, "the destination took nothing in 3 attempts: the server answered 409: by plan"),
        Halting(name: "resets", fault: .before(.reset), words: "the destination took nothing in 3 attempts: "),
        Halting(name: "nonsense", fault: .unreadable("{}"), words: "names neither a job nor results"),
    ]

    @Test("of all there is pauses the job with every record in flight, and a resume completes it", arguments: halting)
    func halts(plan: Halting) async throws {
        try await PipelineWorld.run(Product.plain(40)) {
            $0.engine.attemptsMax = 3
        } _: { world in
            let id = try await world.start()
            world.ecommerce.faults.stand(plan.fault, for: .write)
            try await world.work()
            let inFlight = try await world.deployment.jobs.balance(of: id).extracted
            try await world.expect(id, .paused, Sheet(inFlight: inFlight), reason: plan.words)
            #expect(inFlight > 0)
            #expect(try await world.deployment.jobs.get(id).holdsDelivery)
            world.ecommerce.faults.stand(nil, for: .write)
            try await world.resume(id)
            try await world.expectArrived(id)
        }
    }

    @Test(
        "to be confirmed because of a key pauses the job with what was accepted, and a resume completes it",
        arguments: [401, 403]
    )
    func haltsConfirming(status: Int) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            world.ecommerce.faults.stand(.status(status), for: .job)
            try await world.work()
            let sheet = try await world.deployment.jobs.balance(of: id)
            let wanted = Sheet(inFlight: sheet.inFlight, awaiting: sheet.extracted - sheet.inFlight)
            try await world.expect(id, .paused, wanted, reason: "the API key is not valid")
            #expect(sheet.awaiting > 0)
            world.ecommerce.faults.stand(nil, for: .job)
            try await world.resume(id)
            try await world.expectArrived(id)
        }
    }

    /// The sink has confirmed, so the books can't know; whoever looks finds out.
    @Test("in silence is found by verification, and repair makes it good", arguments: [false, true])
    func forgets(isEverything: Bool) async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            world.ecommerce.faults.script(.job(.forgets), next: isEverything ? 100 : 2, of: .write)
            try await world.work()
            try await world.expect(id, .completed, Sheet(completed: world.products.count))
            let lost = world.products.count - world.ecommerce.count(in: "target")
            #expect(lost > 0 && (lost == world.products.count) == isEverything)
            world.ecommerce.faults.unscript()
            let found = try await world.verify(id)
            #expect(
                found.missing == lost && found.matching == world.products.count - lost && !found.isClean,
                "\(found)"
            )
            let missing = world.products.filter { world.ecommerce.document($0.id, in: "target") == nil }.map(\.id)
            let named = found.findings.map(\.id)
            #expect(named.count == min(lost, 20) && Set(named).isSubset(of: missing))
            let mended = try await world.verify(id, repairing: true)
            #expect(mended.repaired == lost && mended.isClean && mended.matching == world.products.count, "\(mended)")
            try await world.expectArrived(id)
            #expect(try await world.verify(id).isClean)
        }
    }

    @Test("for ever and in silence is not called repaired")
    func forgetsRepairs() async throws {
        try await PipelineWorld.run(Product.plain(10)) { world in
            let id = try await world.start()
            world.ecommerce.faults.stand(.job(.forgets), for: .write)
            try await world.work()
            let found = try await world.verify(id, repairing: true)
            #expect(found.missing == 10 && found.matching == 0 && !found.isClean, "\(found)")
        }
    }
}
