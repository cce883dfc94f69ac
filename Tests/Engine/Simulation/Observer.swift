// Looks at a simulated world from outside and says which promise of the books is broken.
import MemoryDriver
import SluiceCore
import Synchronization

@testable import SluiceEngine

/// Checks the invariants of the books after every step, and the whole account at the end.
final class Observer: Sendable {
    private let context: EngineContext
    private let tables: any TableStore
    private let job: Job
    private let sinks: SinkWorld
    private let sinkKind: WorldSettings.Sink
    private let letters = Mutex<[String: Letters]>([:])
    private let problem = Problem()

    private final class Problem: Sendable {
        private let text = Mutex("it was not read at once")
        func withLock(_ body: (inout String) -> Void) { text.withLock { body(&$0) } }
        var description: String { text.withLock { $0 } }
    }

    init(context: EngineContext, tables: any TableStore, job: Job, sinks: SinkWorld, sinkKind: WorldSettings.Sink) {
        self.context = context
        self.tables = tables
        self.job = job
        self.sinks = sinks
        self.sinkKind = sinkKind
    }

    private struct Account {
        var slices: [SliceItem] = []
        var pages: [PageItem] = []
        var chunks: [ChunkID: ChunkItem] = [:]
        var orphans: [OrphanItem] = []
        var status = JobStatus.pending
    }

    /// Reads everything at once.
    ///
    /// The memory driver answers without suspending, so the task below ends before it returns.
    private func account() -> Account? {
        let result = Mutex<Account?>(nil)
        let problem = problem
        let tables = tables
        let job = job
        // The ports are asynchronous; run on the spot, for the driver never waits.
        let task = Task.immediate {
            do {
                var account = Account()
                var query = TableQuery(partition: job.id.text, limit: 1000)
                repeat {
                    let page = try await tables.query(query, in: ledgerSchema)
                    for item in page.items {
                        guard case .string(let sort)? = item["sk"] else { continue }
                        if sort.hasPrefix("slice#") { account.slices.append(try SliceItem(attributes: item)) }
                        if sort.hasPrefix("page#") { account.pages.append(try PageItem(attributes: item)) }
                        if sort.hasPrefix("orphan#") { account.orphans.append(try OrphanItem(attributes: item)) }
                        if sort.hasPrefix("chunk#") {
                            let chunk = try ChunkItem(attributes: item)
                            account.chunks[chunk.chunk] = chunk
                        }
                    }
                    query.after = page.next
                } while query.after != nil
                if let item = try await tables.get(job.key, in: Job.schema) {
                    account.status = try Job(attributes: item).status
                }
                let read = account
                result.withLock { $0 = read }
            } catch {
                problem.withLock { $0 = "\(error)" }
            }
        }
        _ = task
        return result.withLock { $0 }
    }

    /// The first broken promise, or nil.
    func look() -> String? {
        guard let account = account() else { return "the world could not be read: \(problem.description)" }
        for slice in account.slices {
            if !slice.balance.isBalanced { return "slice \(slice.index) does not balance: \(slice.balance)" }
            var counts = LetterCounts()
            var extracted = slice.skipped
            for page in account.pages where page.slice == slice.index {
                extracted += page.sizes.reduce(0, +)
                for (number, size) in page.sizes.enumerated() {
                    let id = ChunkID(job: job.id, slice: page.slice, page: page.page, epoch: page.epoch, number: number)
                    let standing = account.chunks[id].flatMap { Letters($0.letters) } ?? Letters(count: size)
                    counts += standing.tally()
                }
            }
            if extracted != slice.extracted {
                return "slice \(slice.index) says \(slice.extracted) extracted, its pages \(extracted)"
            }
            let said = [slice.inFlight, slice.awaiting, slice.refused, slice.failed, slice.completed]
            let sums = [counts.inFlight, counts.accepted, counts.refused, counts.failed, counts.completed]
            if said != sums { return "slice \(slice.index) counts \(said) and its ledger \(sums)" }
            let orphans = account.orphans.filter { $0.chunk.slice == slice.index }.reduce(0) { $0 + $1.count }
            if orphans != slice.redelivered {
                return "slice \(slice.index) says \(slice.redelivered) redelivered, not \(orphans)"
            }
        }
        if let problem = lettersFell(account) ?? orphanDelivered(account) { return problem }
        let completed = account.slices.reduce(0) { $0 + $1.completed }
        let held = sinks.state.withLock(\.held.count)
        if completed > held { return "\(completed) completed, but only \(held) at the sink" }
        if account.status == .completed || account.status == .completedWithFailures {
            let dead = account.slices.reduce(0) { $0 + $1.balance.deadLettered }
            if !account.slices.allSatisfy({ $0.finished && $0.balance.isSettled }) { return "completed early" }
            if account.status == .completed, dead > 0 { return "completed with \(dead) dead letters" }
        }
        return nil
    }

    /// Where everything stands, for the report of a broken run.
    var summary: String {
        guard let account = account() else { return problem.description }
        let slices = account.slices.map { "page \($0.page) epoch \($0.epoch) finished \($0.finished) \($0.balance)" }
        let chunks = account.chunks.values.map { "\($0.chunk.path)=\($0.letters)" }.sorted()
        return "job \(account.status)\n\(slices.joined(separator: "\n"))\n\(chunks)"
    }

    private func lettersFell(_ account: Account) -> String? {
        letters.withLock { known in
            for (id, item) in account.chunks {
                guard let now = Letters(item.letters) else { return "chunk \(id) has letters \(item.letters)" }
                if let before = known[id.path] {
                    var joined = before
                    joined.join(now)
                    if joined != now { return "letters of \(id) fell from \(before.text) to \(now.text)" }
                }
                known[id.path] = now
            }
            return nil
        }
    }

    private func orphanDelivered(_ account: Account) -> String? {
        var owners: [String: Int] = [:]
        for page in account.pages { owners["\(page.slice)/\(page.page)"] = page.epoch }
        for chunk in sinks.state.withLock({ $0.delivered }) {
            guard let owner = owners["\(chunk.slice)/\(chunk.page)"] else {
                return "\(chunk) was delivered before its page had an owner"
            }
            if owner != chunk.epoch { return "\(chunk) was delivered, but epoch \(owner) owns its page" }
        }
        return nil
    }

    /// Whether the world came to the end that it should have come to.
    func final() async -> String? {
        guard let account = account() else { return "the world could not be read: \(problem.description)" }
        if let problem = look() { return problem }
        let sheet = account.slices.reduce(into: BalanceSheet()) { $0 += $1.balance }
        switch account.status {
        case .cancelled: return nil
        case .completed: break
        case .completedWithFailures where sinkKind == .placing: break
        default: return "the job ended \(account.status): \(sheet)"
        }
        let held = sinks.state.withLock(\.held)
        if sheet.completed > held.count { return "\(sheet.completed) completed, \(held.count) held" }
        if sinkKind == .placing {
            let output = sinks.state.withLock(\.output) ?? []
            if output.count != sheet.completed {
                return "the output has \(output.count) records, the books \(sheet.completed)"
            }
            if Set(output).count != output.count { return "the output has a record twice" }
        }
        do {
            let job = try await JobStore(context).get(self.job.id)
            if job.balance.completed != sheet.completed || job.extractedDocCount != sheet.extracted {
                return "the job's projection \(job.balance) is not the books' sum \(sheet)"
            }
        } catch {
            return "the job can't be read: \(error)"
        }
        return nil
    }
}
