// Jobs as they are shown: the table's fields by their names, in an order for people.
import SluiceCore

extension Job {
    /// The job's record; fields that are not set are left out.
    func record() throws -> JSONObject {
        let attributes = try attributes()
        var record = JSONObject()
        for name in Self.shownFirst { record[name] = attributes[name].map(JSONValue.init) }
        for name in attributes.keys.sorted() where record[name] == nil && !Self.hidden.contains(name) {
            record[name] = attributes[name].map(JSONValue.init)
        }
        // Kept to the millisecond; what adding floating-point numbers leaves behind that is noise.
        record["active_seconds"] = JSONNumber((activeSeconds * 1000).rounded() / 1000).map { .number($0) }
        return record
    }

    /// Only marks which jobs an index holds.
    private static let hidden: Set = ["finisher", "finisher_until", "live", "pk", "sk"]

    private static let shownFirst = [
        "reindex_id", "kind", "reindex_type", "job_status", "status_reason", "system_account_id", "index_name",
        "destination_index_name", "source", "sink", "concurrency", "fields", "skip_extraction_if_fields_present",
        "extracted_doc_count", "skipped_doc_count", "in_flight_doc_count", "awaiting_doc_count",
        "dead_lettered_doc_count", "completed_doc_count", "replayed_doc_count", "redelivered_doc_count",
        "created_at", "started_at", "updated_at", "finished_at", "active_seconds",
    ]

    static func table(_ jobs: [Job]) -> TextTable {
        var table = TextTable(
            .text("REINDEX_ID"),
            .text("TYPE"),
            .text("STATUS"),
            .number("EXTRACTED"),
            .number("SKIPPED"),
            .number("IN FLIGHT"),
            .number("AWAITING"),
            .number("DEAD"),
            .number("COMPLETED"),
            .text("SOURCE"),
            .text("SINK")
        )
        for job in jobs {
            table.add(
                job.id.text,
                job.reindexType.rawValue,
                job.status.rawValue,
                "\(job.extractedDocCount)",
                "\(job.skippedDocCount)",
                "\(job.inFlightDocCount)",
                "\(job.awaitingDocCount)",
                "\(job.deadLetteredDocCount)",
                "\(job.completedDocCount)",
                job.source,
                job.sink
            )
        }
        return table
    }
}

extension JSONValue {
    /// An attribute as people and programs expect it; bytes as text.
    init(_ value: AttributeValue) {
        self =
            switch value {
            case .null: .null
            case .bool(let flag): .bool(flag)
            case .int(let number): .number(JSONNumber(number))
            case .double(let number): JSONNumber(number).map { .number($0) } ?? .null
            case .string(let text): .string(text)
            case .bytes(let bytes): .string(String(decoding: bytes, as: UTF8.self))
            case .list(let values): .array(values.map(JSONValue.init))
            case .map(let map):
                .object(
                    map.sorted { $0.key < $1.key }.reduce(into: JSONObject()) { $0[$1.key] = JSONValue($1.value) }
                )
            }
    }
}
