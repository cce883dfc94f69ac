// A pipeline that is paused, resumed, cancelled, slowed down and stopped in the middle, with exact books throughout.
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

@Suite("Steering the pipeline", .timeLimit(.minutes(10)))
struct PipelineControlTests {
    /// So slow that nothing is delivered while a test lasts.
    private static let standstill = 0.0001

    /// A job that has read a part of its source and delivered nothing, with its worker at work.
    private func withJobInTheMiddle(_ body: (PipelineWorld, JobID) async throws -> Void) async throws {
        try await PipelineWorld.run(Product.plain(100)) {
            $0.engine.inFlightMax = 10
            $0.engine.lease = .seconds(1)
        } _: { world in
            let id = try await world.start {
                $0.pageSize = 5
                $0.rate = Self.standstill
            }
            try await world.working { _ in
                // Over its limit a job is read no further; each slice may have one page more on its way.
                try await world.waitUntil(id) { $0.inFlightDocCount > 10 }
                try await body(world, id)
            }
        }
    }

    /// Pauses, and answers with how much had been read.
    private func pause(_ id: JobID, _ world: PipelineWorld) async throws -> Int {
        try await world.deployment.control.pause(id)
        try await world.waitUntil(id) { $0.status == .paused }
        let sheet = try await world.deployment.jobs.balance(of: id)
        #expect(sheet == Sheet(inFlight: sheet.extracted).books)
        #expect((1..<world.products.count).contains(sheet.extracted))
        return sheet.extracted
    }

    private func set(rate: Double?, _ id: JobID, _ world: PipelineWorld) async throws {
        var settings = JobControl.Settings()
        settings.rate = .some(rate)
        try await world.deployment.control.set(id, settings)
    }

    @Test("a pause stops the visits at a checkpoint, what was read drains, and a resume completes exactly")
    func pauseAndResume() async throws {
        try await withJobInTheMiddle { world, id in
            let extracted = try await pause(id, world)
            let visits = world.vespa.faults.requests[.visit]
            try await set(rate: nil, id, world)
            try await world.waitUntil(id) { $0.completedDocCount == extracted }
            try await world.expect(id, .paused, Sheet(completed: extracted))
            #expect(world.ecommerce.count(in: "target") == extracted)
            #expect(world.vespa.faults.requests[.visit] == visits)
            try await world.deployment.control.resume(id)
            try await world.waitUntil(id) { $0.status.isFinal }
            try await world.expectArrived(id)
            #expect(world.ecommerce.stats.documentsAccepted == world.products.count)
        }
    }

    @Test("a paused job is completed by another worker, which begins at the checkpoints")
    func anotherWorker() async throws {
        try await PipelineWorld.run(Product.plain(100)) {
            $0.engine.inFlightMax = 10
        } _: { world in
            let id = try await world.start {
                $0.pageSize = 5
                $0.rate = Self.standstill
            }
            try await world.working { _ in
                try await world.waitUntil(id) { $0.inFlightDocCount > 10 }
                _ = try await pause(id, world)
            }
            let served = world.vespa.documentsServed
            try await set(rate: nil, id, world)
            try await world.resume(id)
            try await world.expectArrived(id)
            #expect(world.ecommerce.stats.documentsAccepted == world.products.count)
            // Nothing but its new look at the source was read twice.
            #expect(world.vespa.documentsServed - served < world.products.count)
        }
    }

    @Test("a cancel ends the job at once, whatever waits; its sheet balances, and nothing arrives later")
    func cancel() async throws {
        try await withJobInTheMiddle { world, id in
            try await world.deployment.control.cancel(id)
            let sheet = try await world.deployment.jobs.balance(of: id)
            let lost = "\(sheet.extracted) records were not delivered"
            try await world.expect(id, .cancelled, Sheet(inFlight: sheet.extracted), reason: lost)
            #expect((1..<world.products.count).contains(sheet.extracted))
            // The worker drops what is queued, and then has nothing left to do.
            let worker = world.deployment.worker()
            try await worker.waitUntilIdle()
            #expect(try await world.deployment.jobs.balance(of: id) == sheet)
            #expect(world.ecommerce.stats.answers.isEmpty)
            // The destination is free again.
            let next = try await world.start()
            try await world.waitUntil(next) { $0.status.isFinal }
            try await world.expectArrived(next)
        }
    }

    @Test(
        "a cancel does not wait for a visit that hangs, or for one that is to be tried again much later",
        arguments: [true, false]
    )
    func cancelVisit(hangs: Bool) async throws {
        try await PipelineWorld.run {
            $0.engine.lease = .milliseconds(500)
        } _: { world in
            let id = try await world.start()
            let fault = world.strikePages(hangs ? .connection(.stall(nil)) : .status(503, retryAfter: "600"))
            try await world.working { worker in
                try await world.waitForStrike(fault)
                try await world.deployment.control.cancel(id)
                try await worker.waitUntilIdle()
            }
            try await world.expect(id, .cancelled, Sheet())
            #expect(world.ecommerce.stats.answers.isEmpty)
        }
    }

    @Test("a cancel does not wait for a delivery that is to be tried again much later", arguments: [429, 503, 500])
    func cancelDelivery(status: Int) async throws {
        try await PipelineWorld.run(Product.plain(40)) {
            // A server that says nothing else of when to come again leaves it to the backoff.
            $0.engine.backoff = Backoff(initial: .seconds(500), maximum: .seconds(600))
        } _: { world in
            let id = try await world.start()
            world.ecommerce.faults.stand(
                .status(status, retryAfter: status == 500 ? .none : .seconds(600)),
                for: .write
            )
            try await world.working { worker in
                while world.ecommerce.faults.struck.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
                try await world.deployment.control.cancel(id)
                try await worker.waitUntilIdle()
            }
            let extracted = try await world.deployment.jobs.balance(of: id).extracted
            try await world.expect(id, .cancelled, Sheet(inFlight: extracted))
            #expect(extracted > 0 && world.ecommerce.count(in: "target") == 0)
        }
    }

    @Test("a worker stops though the source wants it to come again much later, and the next one completes the job")
    func stopWhileWaiting() async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            let fault = world.strikePages(.status(503, retryAfter: "600"))
            try await world.working { _ in try await world.waitForStrike(fault) }
            world.vespa.faults.unscript()
            try await world.work()
            try await world.expectArrived(id)
        }
    }

    @Test("a worker stops within its grace though a visit hangs, and the next one completes the job")
    func stopWhileHanging() async throws {
        try await PipelineWorld.run {
            $0.visitParameters = "?timeout=3600"
            $0.engine.grace = .milliseconds(200)
        } _: { world in
            let id = try await world.start()
            let fault = world.strikePages(.connection(.stall(nil)))
            try await world.working { _ in try await world.waitForStrike(fault) }
            try await world.expect(id, .inProgress, Sheet())
            world.vespa.faults.unscript()
            try await world.work()
            try await world.expectArrived(id)
        }
    }

    @Test("a pause is felt though the source wants the job to come again much later")
    func pauseWhileWaiting() async throws {
        try await PipelineWorld.run { world in
            let id = try await world.start()
            let fault = world.strikePages(.status(503, retryAfter: "600"))
            try await world.working { _ in
                try await world.waitForStrike(fault)
                try await world.deployment.control.pause(id)
                try await world.waitUntil(id) { $0.status == .paused }
                world.vespa.faults.unscript()
                try await world.deployment.control.resume(id)
                try await world.waitUntil(id) { $0.status.isFinal }
            }
            try await world.expectArrived(id)
        }
    }

    @Test("a job's rate holds, and another one takes effect while it runs")
    func rate() async throws {
        try await PipelineWorld.run(Product.plain(60)) { world in
            let began = world.deployment.context.clock.now
            let id = try await world.start { $0.rate = 20 }
            try await world.work()
            try await world.expectArrived(id)
            // One second's worth goes at once, and the last chunk of ten may leave a debt.
            #expect(began.duration(to: world.deployment.context.clock.now) >= .milliseconds(1400))
        }
        try await withJobInTheMiddle { world, id in
            try await set(rate: nil, id, world)
            try await world.waitUntil(id) { $0.status.isFinal }
            try await world.expectArrived(id)
        }
    }

    static let changes: [(parameters: String, wrong: String)] = [
        ("?selection=true", #""selection":"true""#),
        ("?fieldSet=products:marqo__id", #""fieldSet":"products:marqo__id""#),
        ("?fromTimestamp=1", #""fromTimestamp":"1""#),
    ]

    @Test(
        "a resume with another selection or field set is refused: the checkpoints are of something else",
        arguments: changes
    )
    func changedSource(parameters: String, wrong: String) async throws {
        try await withJobInTheMiddle { world, id in
            let extracted = try await pause(id, world)
            try await set(rate: nil, id, world)
            try await world.waitUntil(id) { $0.completedDocCount == extracted }
            let job = try await world.deployment.jobs.get(id)
            let changed = Attribute<Job, String>("source").set(job.source + parameters)
            try await Table<Job>(world.deployment.context.backend.tables).update(job.key, [changed], if: .itemExists)
            try await world.deployment.control.resume(id)
            try await world.waitUntil(id) { $0.status.isFinal }
            try await world.expect(id, .failed, Sheet(completed: extracted), reason: "start a new job")
            let reason = try await world.deployment.jobs.get(id).statusReason ?? ""
            #expect(reason.contains("checkpoint was written for") && reason.contains(wrong), "\(reason)")
            #expect(world.ecommerce.count(in: "target") == extracted)
        }
    }

    @Test(
        "dead letters over the budget pause the job with what is dead; mended, it goes on, and a redrive completes it"
    )
    func budget() async throws {
        try await PipelineWorld.run(Product.plain(100)) {
            $0.engine.inFlightMax = 10
        } _: { world in
            let id = try await world.start {
                $0.pageSize = 5
                $0.failureBudget = "10"
            }
            world.ecommerce.faults.stand(.status(400), for: .write)
            try await world.work()
            let paused = try await world.deployment.jobs.balance(of: id)
            #expect(paused.isBalanced && paused.refused >= 10 && paused.completed == 0)
            try await world.expect(
                id,
                .paused,
                Sheet(inFlight: paused.inFlight, refused: paused.refused),
                reason: "failure budget 10 spent"
            )
            world.ecommerce.faults.stand(nil, for: .write)
            let refusals = world.ecommerce.faults.struck
            var settings = JobControl.Settings()
            settings.failureBudget = .some(nil)
            try await world.deployment.control.set(id, settings)
            try await world.resume(id)
            // A worker does not wait for what a job with held deliveries leaves to be booked; nothing is refused any more.
            let dead = try await world.deployment.jobs.balance(of: id).refused
            #expect(dead >= paused.refused && dead <= paused.refused + paused.inFlight)
            #expect(world.ecommerce.faults.struck == refusals)
            try await world.expect(id, .completedWithFailures, Sheet(refused: dead, completed: 100 - dead))
            #expect(try await world.deployment.deadLetters.redrive(id) == dead)
            try await world.work()
            try await world.expectArrived(id)
        }
    }
}

extension PipelineWorld {
    /// Has visits fail like this from the job's first page on, behind the launch's look.
    fileprivate func strikePages(_ fault: VespaFault) -> VespaFault {
        let before = vespa.faults.requests[.visit, default: 0]
        for number in before + 2...before + 50 { vespa.faults.script(fault, at: number, of: .visit) }
        return fault
    }

    /// Returns once the fault has struck.
    fileprivate func waitForStrike(_ fault: VespaFault) async throws {
        while vespa.faults.struck[fault.name] == nil { try await Task.sleep(for: .milliseconds(5)) }
    }
}
