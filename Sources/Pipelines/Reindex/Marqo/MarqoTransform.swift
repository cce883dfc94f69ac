// From a Vespa document to the Marqo document that it was made from, in one pass over its bytes.
public import SluiceCore

/// Writes a document with `_id` and the user's fields only; maps are objects again, and copies stand once.
///
/// Takes what Vespa hands out, `{"put":"id:…","fields":{…}}` or `{"id":"id:…","fields":{…}}`. Numbers and strings keep
/// their bytes. What Marqo derives (chunks, vectors, scores, counters) is left out, and so is what the document alone can't
/// say: a custom vector comes back as its content, a combination of fields not at all.
public struct MarqoTransform: RecordTransform {
    /// Behind one reference, for a transform is copied on the way to every page.
    private final class Prepared: Sendable {
        let plan: MarqoPlan

        init(_ plan: MarqoPlan) {
            self.plan = plan
        }
    }

    private let prepared: Prepared
    public let fingerprint: String

    /// - Parameters:
    ///   - kind: How the index keeps documents; a document that says otherwise is refused.
    ///   - declared: What each declared field is. Of a structured index all of them, or its documents are refused.
    ///   - type: A post writes whole documents, a patch only `fields` and the id.
    ///   - fields: What a patch sends, in the user's names: a map's name stands for all of the map.
    ///   - skipIfPresent: A document that has all of these fields is skipped; an empty list skips none.
    public init(
        kind: IndexKind,
        declared: [String: FieldType],
        type: Job.ReindexType,
        fields: [String],
        skipIfPresent: [String]
    ) {
        let keep = type == .patch ? fields : nil
        prepared = Prepared(MarqoPlan(kind: kind, declared: declared, keep: keep, skipIfPresent: skipIfPresent))
        fingerprint = MarqoPlan.fingerprint(kind: kind, declared: declared, keep: keep, skipIfPresent: skipIfPresent)
    }

    public init(_ job: Job, index: IndexDetails) {
        self.init(
            kind: index.kind,
            declared: index.fields,
            type: job.reindexType,
            fields: job.fields ?? [],
            skipIfPresent: job.skipExtractionIfFieldsPresent ?? []
        )
    }

    public func transform(
        _ bytes: UnsafeRawBufferPointer,
        range: Range<Int>,
        into batch: inout RecordBatch
    ) -> TransformOutcome {
        guard range.count <= JSONLimit.batchBytesMax - SourcePage.padding else {
            return .refused(reason: "the document is larger than a batch may be", offset: 0)
        }
        var capacity = MarqoFields.usualCapacity
        while true {
            let outcome = ByteWindow.padded(bytes, range) { window in
                prepared.plan.withTables { plan in
                    MarqoFields.lend(capacity: capacity) { fields in
                        var walk = MarqoWalk(JSONGrammar(bytes: window), plan, fields)
                        return walk.run(into: &batch)
                    }
                }
            }
            if let outcome { return outcome }
            // More fields than there was room for: nothing has been written, so it starts again.
            capacity *= 8
        }
    }
}
