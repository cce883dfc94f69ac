// How far a job has come, at one moment: pure values made from its records.
import SluiceCore

/// A job and its slices, looked at together.
struct JobProgress: Sendable {
    let job: Job
    let slices: [SliceItem]
    let now: Timestamp
    /// The slices' own counters, which are ahead of the job's record by up to a tick.
    let sheet: BalanceSheet

    init(_ job: Job, _ slices: [SliceItem], now: Timestamp) {
        self.job = job
        self.slices = slices
        self.now = now
        sheet = slices.reduce(into: BalanceSheet()) { $0 += $1.balance }
    }

    /// Records that have come to an end.
    var settled: Int { sheet.skipped + sheet.deadLettered + sheet.completed }

    /// How many records there are in all, if the source says, or as far as its bytes foretell it.
    var total: Int? {
        if !slices.isEmpty, slices.allSatisfy(\.finished) { return sheet.extracted }
        if let records = job.sourceRecords { return Int(records) }
        guard let bytes = job.sourceBytes, bytes > 0, sheet.extracted > 0 else { return totalByFractions }
        let read = slices.reduce(0) { $0 + $1.bytesRead }
        guard read > 0 else { return nil }
        return max(sheet.extracted, Int((Double(sheet.extracted) * Double(bytes) / Double(read)).rounded()))
    }

    /// What the slices' own word on how far they are foretells, once every slice has begun.
    private var totalByFractions: Int? {
        var read = 0.0
        for slice in slices {
            guard let fraction = slice.finished ? 1 : slice.fractionRead else { return nil }
            read += fraction
        }
        guard read > 0, sheet.extracted > 0 else { return nil }
        return max(sheet.extracted, Int((Double(sheet.extracted) * Double(slices.count) / read).rounded()))
    }

    /// Whether `total` is known and not only foretold.
    var isTotalExact: Bool {
        !slices.isEmpty && slices.allSatisfy(\.finished) || job.sourceRecords != nil
    }

    /// The part of the work that is done, from 0 to 1.
    var fraction: Double? {
        guard let total else { return nil }
        return total == 0 ? 1 : min(1, Double(settled) / Double(total))
    }

    /// How much of a slice has been read, from 0 to 1; each slice is an equal part of the source's bytes.
    func fractionRead(of slice: SliceItem) -> Double? {
        if slice.finished { return 1 }
        guard let bytes = job.sourceBytes, bytes > 0, job.concurrency > 0 else { return slice.fractionRead }
        return min(0.999, Double(slice.bytesRead) / (Double(bytes) / Double(job.concurrency)))
    }

    /// How long the job has been worked on; pauses do not count.
    var activeTime: Duration {
        let running = job.status == .inProgress ? job.startedAt.map { $0.duration(to: now) } ?? .zero : .zero
        return .milliseconds(Int64(job.activeSeconds * 1000)) + max(.zero, running)
    }

    /// The equation that every version of the books obeys.
    var balanceLine: String {
        "\(sheet.extracted) extracted = \(sheet.skipped) skipped + \(sheet.inFlight) in flight + "
            + "\(sheet.awaiting) awaiting + \(sheet.deadLettered) dead-lettered + \(sheet.completed) completed"
    }
}

/// How quickly a job moves, from what was seen of it while it was running.
struct Pace: Sendable {
    private struct Sample {
        let time: Timestamp
        let settled: Int
    }

    /// Only the last seconds count, so that a change of rate shows soon.
    private static let window: Duration = .seconds(15)
    /// Below this the seen work says nothing yet.
    private static let least: Duration = .seconds(1)

    private var samples: [Sample] = []

    init() {}

    /// Takes one look into account.
    ///
    /// What is seen while the job does not run is no work, and ends what was seen before.
    mutating func add(_ progress: JobProgress) {
        guard progress.job.status == .inProgress else {
            samples = []
            return
        }
        samples.append(Sample(time: progress.now, settled: progress.settled))
        let oldest = progress.now.advanced(by: .zero - Self.window)
        while samples.count > 2, samples[1].time <= oldest { samples.removeFirst() }
    }

    /// Records a second; nil as long as too little was seen.
    func rate(_ progress: JobProgress) -> Double? {
        if let first = samples.first, let last = samples.last {
            let seen = first.time.duration(to: last.time)
            if seen >= Self.least { return Double(last.settled - first.settled) / seen.inSeconds }
        }
        // What all of the job's running time brought.
        let active = progress.activeTime
        guard active >= Self.least, progress.settled > 0 else { return nil }
        return Double(progress.settled) / active.inSeconds
    }

    /// How long the rest takes if it goes on like this; nil if nobody knows.
    func remaining(_ progress: JobProgress) -> Duration? {
        guard progress.job.status == .inProgress, let total = progress.total, let rate = rate(progress), rate > 0 else {
            return nil
        }
        return .seconds((Double(max(0, total - progress.settled)) / rate).rounded(.up))
    }
}
