// What a reindex takes of each record: all of it, or its id and the named fields.
package import SluiceCore

/// Checks every record to its last byte, and passes on what the job's type asks for.
package struct SelectionTransform: RecordTransform {
    private let scanner: RecordScanner
    private let skips: Bool
    package let fingerprint: String

    /// - Parameters:
    ///   - type: A post passes whole records on, a patch only `fields` and the id.
    ///   - fields: What a patch sends.
    ///   - skipIfPresent: A record that is written with all of these fields is skipped; an empty list skips none.
    ///   - idField: Where a record's id stands.
    package init(type: Job.ReindexType, fields: [String], skipIfPresent: [String], idField: String) {
        scanner = RecordScanner(
            RecordSelection(idField: idField, keep: type == .patch ? fields : nil, presentAll: skipIfPresent)
        )
        skips = !skipIfPresent.isEmpty
        fingerprint = Self.text(type: type, fields: fields, skipIfPresent: skipIfPresent, idField: idField)
    }

    package init(_ job: Job) {
        self.init(
            type: job.reindexType,
            fields: job.fields ?? [],
            skipIfPresent: job.skipExtractionIfFieldsPresent ?? [],
            idField: job.idField
        )
    }

    package func transform(
        _ bytes: UnsafeRawBufferPointer,
        range: Range<Int>,
        into batch: inout RecordBatch
    ) -> TransformOutcome {
        do {
            let result = try scanner.scan(bytes.bytes, range: range, into: &batch)
            guard skips, result.presentAll else { return .written }
            batch.removeLast()
            return .skipped
        } catch {
            return .refused(reason: error.message, offset: error.offset)
        }
    }

    /// The selection as one line of JSON; the order in which fields were named makes no difference.
    private static func text(
        type: Job.ReindexType,
        fields: [String],
        skipIfPresent: [String],
        idField: String
    ) -> String {
        func list(_ names: [String]) -> JSONValue {
            let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return .array(sorted.map { .string($0) })
        }
        let selection: JSONValue = [
            "type": .string(type.rawValue), "fields": list(type == .patch ? fields : []),
            "skip": list(skipIfPresent), "id": .string(idField),
        ]
        return selection.description
    }
}
