// What becomes of a raw record on its way: written, skipped by rule, or refused.

/// Turns raw records into what the sink is to get.
///
/// Pure, and quick: it runs once for each record.
public protocol RecordTransform: Sendable {
    /// Writes the record's new form into `batch`, or says why not. `bytes` may be read up to `SourcePage.padding`
    /// bytes past the range.
    func transform(
        _ bytes: UnsafeRawBufferPointer,
        range: Range<Int>,
        into batch: inout RecordBatch
    ) -> TransformOutcome

    /// What was selected and how, in a stable form: a checkpoint is only good for the same.
    var fingerprint: String { get }
}

/// What became of one record.
public enum TransformOutcome: Sendable, Equatable {
    case written
    /// A rule of the job leaves it out; it is counted as skipped.
    case skipped
    /// It can't be transformed; `offset` is the byte within the record, `recordID` its id as far as one was found.
    case refused(reason: String, offset: Int, recordID: String? = nil)
}
