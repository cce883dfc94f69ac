// A dry run's report as it is shown.
import ReindexPipeline
import SluiceCore

extension DryRunReport {
    /// What would be done and what was found; estimates that nobody can make are null.
    func record(of job: Job) -> JSONObject {
        var record: JSONObject = [
            "dry_run": true, "source": .string(job.source), "sink": .string(job.sink),
            "reindex_type": .string(job.reindexType.rawValue), "sampled": .number(JSONNumber(sampled)),
            "would_be_sent": .number(JSONNumber(written)), "would_be_skipped": .number(JSONNumber(skipped)),
            "would_be_refused": .number(JSONNumber(refused.count)),
        ]
        record["records_estimated"] = recordsEstimated.map { .number(JSONNumber($0)) } ?? .null
        record["bytes_estimated"] = bytesEstimated.map { .number(JSONNumber($0)) } ?? .null
        record["seconds_estimated"] =
            secondsEstimated.flatMap { JSONNumber($0.rounded(.up)) }.map { .number($0) } ?? .null
        record["refusals"] = .array(
            refused.prefix(Self.refusalsShown).map { left in
                ["_id": left.id.map { .string($0) } ?? .null, "reason": .string(left.reason)]
            }
        )
        record["documents"] = .array(documents)
        return record
    }

    private static let refusalsShown = 20
}
