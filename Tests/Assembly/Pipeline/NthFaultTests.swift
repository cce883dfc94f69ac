// The n-th request of each kind fails, for every n that a job has: it completes as if none had.
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

@Suite("The n-th request of a job fails", .timeLimit(.minutes(10)))
struct NthFaultTests {
    struct VisitFault: Sendable, CustomTestStringConvertible {
        let fault: VespaFault
        var testDescription: String { "\(fault)" }
    }

    static let visits: [VespaFault] = [
        .connection(.reset), .connection(.cut(afterBytes: 200)), .halfLine(afterBuckets: 0), .halfLine(afterBuckets: 2),
        .noLastContinuation(afterBuckets: 1), .messageAlone, .status(500), .status(429),
    ]

    @Test("a visit", arguments: visits.map { VisitFault(fault: $0) })
    func visit(plan: VisitFault) async throws {
        try await PipelineWorld.run(Product.plain(60)) { world in
            try await world.working { _ in
                let runs = try await world.count { number in
                    try await world.failing(plan.fault, at: number)
                }
                // The launch's look and two pages of each slice at least.
                #expect(runs > 5)
            }
        }
    }

    @Test(
        "a visit of a verification",
        arguments: [.connection(.reset), .status(504), .halfLine(afterBuckets: 0)].map { VisitFault(fault: $0) }
    )
    func verifying(plan: VisitFault) async throws {
        try await PipelineWorld.run(Product.plain(60)) { world in
            let id = try await world.start()
            try await world.work()
            let runs = try await world.count { number in
                let before = world.vespa.faults.requests[.visit, default: 0]
                world.vespa.faults.script(plan.fault, at: before + number, of: .visit)
                let report = try await world.verify(id)
                #expect(report.isClean && report.matching == 60, "at \(number): \(report)")
                return world.vespa.faults.requests[.visit, default: 0] - before
            }
            #expect(runs > 5)
        }
    }

    struct Request: Sendable, CustomTestStringConvertible {
        let kind: EcommerceRequestKind
        let fault: EcommerceFault
        var testDescription: String { "\(kind), \(fault.name)" }
    }

    private static func requests(_ kinds: EcommerceRequestKind...) -> [Request] {
        let faults: [EcommerceFault] = [.before(.reset), .after(.reset), .status(500), .status(429)]
        return kinds.flatMap { kind in faults.map { Request(kind: kind, fault: $0) } }
    }

    @Test("a delivery, or a question how one ended", arguments: requests(.write, .update, .job))
    func delivery(plan: Request) async throws {
        try await PipelineWorld.run(Product.plain(60)) { world in
            try await world.working { _ in
                let runs = try await world.count { number in
                    try await world.failing(plan.fault, at: number, of: plan.kind)
                }
                #expect(runs > 6)
            }
        }
    }

    @Test("a look at what the API holds", arguments: requests(.read))
    func read(plan: Request) async throws {
        try await PipelineWorld.run(Product.plain(60)) { world in
            let id = try await world.start()
            try await world.work()
            let runs = try await world.count { number in
                try await world.asked(.read) {
                    world.ecommerce.faults.script(plan.fault, at: world.asked(.read) + number, of: .read)
                    let report = try await world.verify(id)
                    #expect(report.isClean && report.matching == 60, "at \(number): \(report)")
                }
            }
            #expect(runs > 4)
        }
    }
}

extension PipelineWorld {
    /// Tries every number until a run had fewer requests than that; how many runs there were.
    fileprivate func count(_ run: (_ number: Int) async throws -> Int) async throws -> Int {
        var number = 1
        while try await run(number) >= number {
            #expect(vespa.faults.struck.values.reduce(0, +) + ecommerce.faults.struck.values.reduce(0, +) == number)
            number += 1
        }
        return number
    }

    /// One job with the fault in its n-th visit; how many visits it had.
    fileprivate func failing(_ fault: VespaFault, at number: Int) async throws -> Int {
        let id = try await start(to: "target-\(number)")
        let before = vespa.faults.requests[.visit, default: 0]
        vespa.faults.script(fault, at: before + number, of: .visit)
        try await finish(id, number)
        return vespa.faults.requests[.visit, default: 0] - before
    }

    fileprivate func failing(_ fault: EcommerceFault, at number: Int, of kind: EcommerceRequestKind) async throws -> Int
    {
        let target = "target-\(number)"
        if kind == .update {
            for product in products {
                let old = product.sent?.replacing(/"n":[0-9]+/, with: #""n":-1"#) ?? ""
                ecommerce.put(old, as: product.id, in: target)
            }
        }
        return try await asked(kind) {
            ecommerce.faults.script(fault, at: asked(kind) + number, of: kind)
            let id = try await start(to: target) {
                guard kind == .update else { return }
                $0.type = .patch
                $0.fields = ["n"]
            }
            try await finish(id, number)
        }
    }

    private func finish(_ id: JobID, _ number: Int) async throws {
        try await waitUntil(id) { $0.status.isFinal || $0.status == .paused }
        try await expectArrived(id, in: "target-\(number)")
    }

    fileprivate func asked(_ kind: EcommerceRequestKind) -> Int {
        ecommerce.faults.requests[kind, default: 0]
    }

    /// How often a kind of request was made meanwhile.
    fileprivate func asked(_ kind: EcommerceRequestKind, during body: () async throws -> Void) async throws -> Int {
        let before = asked(kind)
        try await body()
        return asked(kind) - before
    }
}
