// What the stand-in of the Ecommerce API remembers: indexes, jobs, and how much it was asked.
import SluiceCore

/// Everything behind the stand-in's lock.
struct EcommerceWorld {
    struct Job {
        var id: String
        var index: String
        var isUpdate: Bool
        var count: Int
        var acceptedAt: Timestamp
        var readyAt: Timestamp
        /// Until they are processed.
        var changes: [EcommerceChange]
        var fault: EcommerceJobFault?
        var failures: [EcommerceIndex.Failure] = []
        var isProcessed = false
        var polls = 0
    }

    var options: EcommerceOptions
    var stats = EcommerceStats()
    private var indexes: [String: EcommerceIndex] = [:]
    private var jobs: [String: Job] = [:]
    private var waiting: [String] = []
    /// How many of those in front are done; they are removed many at a time.
    private var doneWaiting = 0
    /// Sets this stand-in's job ids apart from those of another one.
    private let run: String
    private var second: Int64 = 0
    private var requestsOfSecond = 0
    private var requestsAtOnce = 0

    init(options: EcommerceOptions, run: String) {
        self.options = options
        self.run = run
    }

    /// Takes in a request, unless it is one too many.
    mutating func enter(_ now: Timestamp) throws(EcommerceRefusal) {
        let capacity = options.capacity
        if now.seconds != second {
            second = now.seconds
            requestsOfSecond = 0
        }
        guard requestsAtOnce < capacity.requestsAtOnce ?? .max,
            requestsOfSecond < capacity.requestsPerSecond ?? .max
        else { throw EcommerceRefusal(429, "too many requests", retryAfter: capacity.retryAfter) }
        requestsOfSecond += 1
        requestsAtOnce += 1
        stats.requestsAtOnceMax = max(stats.requestsAtOnceMax, requestsAtOnce)
    }

    mutating func leave() {
        requestsAtOnce -= 1
    }

    /// Makes the index if it may be.
    func check(_ index: String) throws(EcommerceRefusal) {
        guard options.indexes?.contains(index) ?? true else { throw EcommerceRefusal(404, "index not configured") }
    }

    /// Takes documents; nil for a job if the answer holds their results.
    mutating func accept(
        _ changes: [EcommerceChange],
        index: String,
        isUpdate: Bool,
        fault: EcommerceJobFault?,
        now: Timestamp
    ) throws(EcommerceRefusal) -> (job: Job, isFinal: Bool) {
        guard changes.count <= options.documentsMax else {
            throw EcommerceRefusal(options.tooManyStatus, "over \(options.documentsMax) documents in one request")
        }
        if options.badID == .badRequest, changes.contains(where: { $0.id == nil }) {
            throw EcommerceRefusal(400, "every document needs an _id that is a string and not empty")
        }
        stats.documentsAccepted += changes.count
        stats.jobs += 1
        let isFinal = options.answersAtOnce || fault == .answersAtOnce
        var job = Job(
            id: "\(run)-\(stats.jobs)",
            index: index,
            isUpdate: isUpdate,
            count: changes.count,
            acceptedAt: now,
            readyAt: isFinal ? now : now.advanced(by: options.processing),
            changes: changes,
            fault: fault
        )
        processDue(now)
        // One that is due at once takes its turn behind those that wait, if there are any.
        if isFinal || (waiting.isEmpty && job.readyAt <= now) {
            process(&job)
        } else {
            waiting.append(job.id)
        }
        if !isFinal { jobs[job.id] = job }
        return (job, isFinal)
    }

    /// How a job stands, and how often it was asked about before; nil if nobody knows it.
    mutating func job(_ id: String, of index: String, now: Timestamp) -> Job? {
        processDue(now)
        guard var job = jobs[id], job.index == index else { return nil }
        if case .vanishes = job.fault { return nil }
        job.polls += 1
        jobs[id] = job
        return job
    }

    mutating func processDue(_ now: Timestamp) {
        while doneWaiting < waiting.count, var job = jobs[waiting[doneWaiting]], job.readyAt <= now {
            doneWaiting += 1
            process(&job)
            jobs[job.id] = job
        }
        guard doneWaiting == waiting.count || doneWaiting > 4096 else { return }
        waiting.removeFirst(doneWaiting)
        doneWaiting = 0
    }

    private mutating func process(_ job: inout Job) {
        let changes = job.changes
        job.isProcessed = true
        job.changes = []
        switch job.fault {
        case .failsEveryItem:
            job.failures = changes.map { .init(id: $0.id, status: 400, error: "by plan") }
        case .some(let fault) where fault.loses:
            break
        default:
            let failing: (Int) -> Int? = { number in
                guard case .failsItems(let every, let status)? = job.fault else { return nil }
                return number % max(1, every) == 0 ? status ?? 400 : nil
            }
            job.failures = indexes[job.index, default: EcommerceIndex()]
                .apply(changes, isUpdate: job.isUpdate, holding: options.holding, except: failing)
        }
        stats.itemsFailed += job.failures.count
    }
}

/// What the stand-in holds, for those who look into it.
extension EcommerceWorld {
    var indexNames: [String] { indexes.keys.sorted() }

    func count(in index: String) -> Int {
        let found = indexes[index]
        return options.holding == .counts ? found?.takenCount ?? 0 : found?.held.count ?? 0
    }

    func held(_ id: [UInt8], in index: String) -> EcommerceIndex.Held? {
        indexes[index]?.held[id]
    }

    mutating func put(_ change: EcommerceChange, in index: String) {
        _ = indexes[index, default: EcommerceIndex()]
            .apply([change], isUpdate: false, holding: options.holding) { _ in nil }
    }

    mutating func page(
        of index: String,
        after id: [UInt8]?,
        limit: Int
    ) -> [(id: [UInt8], held: EcommerceIndex.Held)] {
        guard let ids = indexes[index]?.ids(after: id, limit: limit) else { return [] }
        return ids.compactMap { id in held(id, in: index).map { (id, $0) } }
    }
}
