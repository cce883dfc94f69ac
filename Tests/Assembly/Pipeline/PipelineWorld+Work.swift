// Jobs of a pipeline under test: started, worked on, and looked over.
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

extension PipelineWorld {
    /// Creates a job that brings the products to an index of the Ecommerce API.
    func start(
        to target: String = "target",
        _ change: (inout ReindexRequest) -> Void = { _ in }
    ) async throws -> JobID {
        var request = ReindexRequest()
        request.account = Self.account
        request.index = Self.index
        request.destinationIndex = target
        request.concurrency = 2
        request.pageSize = 15
        change(&request)
        return try await deployment.reindexStart.start(request).id
    }

    /// Lets a worker do whatever is left to do.
    func work() async throws {
        try await working { worker in try await worker.waitUntilIdle() }
    }

    /// Has a worker at work while the body runs, and stops it.
    func working(_ body: (Worker) async throws -> Void) async throws {
        let worker = deployment.worker()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await body(worker)
            worker.stop.stop()
            try await group.waitForAll()
        }
    }

    /// Waits until a job has come to be so.
    func waitUntil(_ id: JobID, _ isSo: (Job) async throws -> Bool) async throws {
        while try await !isSo(deployment.job(id)) { try await Task.sleep(for: .milliseconds(5)) }
    }

    func resume(_ id: JobID) async throws {
        try await deployment.control.resume(id)
        try await work()
    }

    /// The ids of a job's dead letters with their reasons.
    func deadLetters(_ id: JobID) async throws -> [String: String] {
        var found: [String: String] = [:]
        var cursor: TableCursor?
        repeat {
            let page = try await deployment.deadLetters.list(id, after: cursor)
            for letter in page.letters { found[letter.recordID ?? "none"] = letter.reason }
            cursor = page.next
        } while cursor != nil
        return found
    }

    func verify(_ id: JobID, repairing: Bool = false) async throws -> VerificationReport {
        var options = VerificationOptions()
        options.settle = .zero
        options.repairs = repairing
        return try await Verification(deployment.context, options: options).run(id)
    }
}

/// The counters that a test expects; those it does not name are 0.
struct Sheet {
    var skipped = 0
    var inFlight = 0
    var awaiting = 0
    /// Dead without ever having been accepted.
    var refused = 0
    /// Dead after having been accepted.
    var failed = 0
    var completed = 0

    var books: BalanceSheet {
        var sheet = BalanceSheet()
        sheet.extracted = skipped + inFlight + awaiting + refused + failed + completed
        sheet.skipped = skipped
        sheet.inFlight = inFlight
        sheet.awaiting = awaiting
        sheet.refused = refused
        sheet.failed = failed
        sheet.completed = completed
        return sheet
    }
}

extension PipelineWorld {
    /// The job stands as it should, every slice balances, and the sums are these and no others.
    func expect(
        _ id: JobID,
        _ status: JobStatus,
        _ sheet: Sheet,
        reason: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let job = try await deployment.jobs.get(id)
        #expect(job.status == status, "\(job.statusReason ?? "")", sourceLocation: sourceLocation)
        if let reason {
            #expect(
                job.statusReason?.contains(reason) == true,
                "\(job.statusReason ?? "")",
                sourceLocation: sourceLocation
            )
        }
        let slices = try await deployment.jobs.slices(of: id).map(\.balance)
        #expect(slices.allSatisfy { $0.isBalanced }, "\(slices)", sourceLocation: sourceLocation)
        #expect(try await deployment.jobs.balance(of: id) == sheet.books, sourceLocation: sourceLocation)
        // A record is brought up to date by workers, and the last one may have left before.
        if status.isFinal { #expect(job.balance == sheet.books, sourceLocation: sourceLocation) }
    }

    /// The job is completed with nothing lost on the way, and the index holds exactly the products.
    func expectArrived(
        _ id: JobID,
        in target: String = "target",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await expect(id, .completed, Sheet(completed: products.count), sourceLocation: sourceLocation)
        #expect(try await deadLetters(id).isEmpty, sourceLocation: sourceLocation)
        expectHeld(products, in: target, sourceLocation: sourceLocation)
    }

    /// The index holds these products as they should be sent, to the byte, and no others.
    func expectHeld(
        _ wanted: [Product],
        in target: String = "target",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(ecommerce.count(in: target) == Set(wanted.map(\.id)).count, sourceLocation: sourceLocation)
        let held = wanted.map { ecommerce.document($0.id, in: target).map { String(decoding: $0, as: UTF8.self) } }
        let wrong = zip(wanted, held).filter { $0.sent != $1 }.map { "\($0.id): \($1 ?? "missing")" }
        #expect(wrong.isEmpty, sourceLocation: sourceLocation)
    }

    /// Exactly these are dead letters, and each reason holds these words.
    func expectDead(
        _ id: JobID,
        _ wanted: [String: String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let dead = try await deadLetters(id)
        #expect(dead.keys.sorted() == wanted.keys.sorted(), "\(dead)", sourceLocation: sourceLocation)
        for (id, words) in wanted {
            let reason = dead[id] ?? ""
            #expect(reason.contains(words), "\(id): \(reason)", sourceLocation: sourceLocation)
        }
    }
}
