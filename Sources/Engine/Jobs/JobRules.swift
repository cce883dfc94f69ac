// What a job's settings may be.
public import SluiceCore

/// The ranges of what can be asked of a job of any kind.
public enum JobRules {
    /// - Throws: `JobError.field` naming the setting, its range and what it was.
    public static func check(rate: Double?, deliveryConcurrency: Int?) throws(JobError) {
        if let rate, !Job.rateRange.contains(rate) {
            throw .field(
                "rate",
                "must be 0.000001 to 10000000 records a second, is \(rate); say unlimited for no limit, pause for none"
            )
        }
        if let deliveryConcurrency, !Job.deliveryConcurrencyRange.contains(deliveryConcurrency) {
            throw .field("delivery-concurrency", "must be 1 to 256, is \(deliveryConcurrency)")
        }
    }

    /// - Throws: `JobError.field`.
    public static func check(_ job: Job) throws(JobError) {
        guard Job.concurrencyRange.contains(job.concurrency) else {
            throw .field("concurrency", "must be 1 to 256, is \(job.concurrency)")
        }
        guard Job.pageSizeRange.contains(job.pageSize) else {
            throw .field("page-size", "must be 1 to 10000 records, is \(job.pageSize)")
        }
        try check(rate: job.rate, deliveryConcurrency: job.deliveryConcurrency)
        if let budget = job.failureBudget { _ = try FailureBudget(budget) }
        for (name, value) in [("account", job.systemAccountID), ("index", job.indexName)] {
            guard !value.isEmpty, !value.contains("#") else {
                throw .field(name, "must not be empty or contain #, is \"\(value)\"")
            }
        }
    }
}

/// How many dead letters a job may have before it pauses: a number, or a share of what was extracted.
public struct FailureBudget: Sendable, Hashable {
    enum Bound: Hashable {
        case records(Int)
        case share(Double)
    }

    let bound: Bound

    /// Reads `500` or `1%` or `0.5%`.
    ///
    /// - Throws: `JobError.field`.
    public init(_ text: String) throws(JobError) {
        if text.hasSuffix("%"), let percent = Double(text.dropLast()), percent > 0, percent <= 100 {
            bound = .share(percent / 100)
        } else if let records = Int(text), records > 0 {
            bound = .records(records)
        } else {
            throw .field(
                "failure-budget",
                "must be a number of records such as 500 or a share such as 1%, is \"\(text)\""
            )
        }
    }

    /// Whether the books show more dead letters than allowed.
    ///
    /// A share is judged from 1000 records on.
    public func isSpent(_ sheet: BalanceSheet) -> Bool {
        switch bound {
        case .records(let records): sheet.deadLettered >= records
        case .share(let share):
            sheet.extracted >= 1000 && Double(sheet.deadLettered) >= share * Double(sheet.extracted - sheet.skipped)
                && sheet.deadLettered > 0
        }
    }
}
