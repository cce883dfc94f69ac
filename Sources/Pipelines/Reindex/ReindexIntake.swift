// From a bare record, as the source system's control plane writes it, to a reindex.
package import SluiceCore
package import SluiceEngine

/// Reads the fields that the source system's control plane writes, and those of our own that may stand beside them.
///
/// What a record leaves out is as for `sluice reindex start`.
package struct ReindexIntake: JobIntake {
    private let start: ReindexStart
    private let defaults: ReindexRequest

    /// - Parameters:
    ///   - start: plans the job.
    ///   - defaults: what records need not say.
    package init(_ start: ReindexStart, defaults: ReindexRequest) {
        self.start = start
        self.defaults = defaults
    }

    package func plan(_ record: AttributeMap, key: JobKey) async throws -> PlannedJob {
        var request = defaults
        let fields = BareFields(record)
        request.account = key.systemAccountID
        request.index = key.indexName
        if let type = try fields.text("reindex_type") {
            guard let known = Job.ReindexType(rawValue: type) else {
                throw JobError.field("reindex_type", "is \"\(type)\"; it must be post or patch")
            }
            request.type = known
        }
        request.fields = try fields.texts("fields")
        request.skipIfPresent = try fields.texts("skip_extraction_if_fields_present")
        request.destinationIndex = try fields.text("destination_index_name")
        request.source = try fields.text("source") ?? request.source
        request.sink = try fields.text("sink") ?? request.sink
        request.concurrency = try fields.number("concurrency") ?? request.concurrency
        request.pageSize = try fields.number("page_size") ?? request.pageSize
        request.deliveryConcurrency = try fields.number("delivery_concurrency") ?? request.deliveryConcurrency
        request.rate = try fields.decimal("rate") ?? request.rate
        request.failureBudget = try fields.text("failure_budget") ?? request.failureBudget
        if let rule = try fields.text("on_bad_record") {
            guard let known = Job.BadRecordRule(rawValue: rule) else {
                throw JobError.field("on_bad_record", "is \"\(rule)\"; it must be stop or dead-letter")
            }
            request.onBadRecord = known
        }
        let ready = try await start.prepare(request, id: key.id)
        let match = SliceMatch.text(job: ready.job, source: ready.description, transform: ready.transform)
        return PlannedJob(job: ready.job, match: match)
    }
}

/// A record's attributes by the types they must have.
private struct BareFields {
    private let record: AttributeMap

    init(_ record: AttributeMap) {
        self.record = record
    }

    /// Nil if it is absent, null or empty, as a record made from a form may have it.
    func text(_ name: String) throws(JobError) -> String? {
        switch record[name] {
        case nil, .null: return nil
        case .string(let text)?: return text.isEmpty ? nil : text
        default: throw .field(name, "must be a string")
        }
    }

    /// Nil if it is absent, null or empty.
    func texts(_ name: String) throws(JobError) -> [String]? {
        switch record[name] {
        case nil, .null: return nil
        case .list(let values)?:
            var texts: [String] = []
            for value in values {
                guard case .string(let text) = value else { throw .field(name, "must be a list of strings") }
                texts.append(text)
            }
            return texts.isEmpty ? nil : texts
        default: throw .field(name, "must be a list of strings")
        }
    }

    func number(_ name: String) throws(JobError) -> Int? {
        switch record[name] {
        case nil, .null: return nil
        case .int(let value)?: return Int(value)
        default: throw .field(name, "must be a whole number")
        }
    }

    func decimal(_ name: String) throws(JobError) -> Double? {
        switch record[name] {
        case nil, .null: return nil
        case .int(let value)?: return Double(value)
        case .double(let value)?: return value
        default: throw .field(name, "must be a number")
        }
    }
}
