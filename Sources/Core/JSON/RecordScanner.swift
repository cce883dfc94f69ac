// The hot path: one pass over a record's bytes checks it, finds its id and writes what is wanted of it.

/// Reads records, refuses what is no JSON to the last byte, and writes the wanted part with numbers and strings as they were.
///
/// Fields that stand twice are passed on as they are, and are dropped or counted together; only the id field must be unique.
/// Numbers may have any size, since only their text is moved.
public struct RecordScanner: Sendable {
    /// How many bytes behind a record let it be read in place; the last records of a buffer with fewer are copied first.
    public static let padding = ByteWindow.padding

    /// Behind one reference, for a scanner is copied on the way to every record.
    private final class Prepared: Sendable {
        let plan: SelectionPlan

        init(_ plan: SelectionPlan) {
            self.plan = plan
        }
    }

    private let prepared: Prepared

    /// Prepares a selection; do it once, for all records.
    public init(_ selection: RecordSelection) {
        prepared = Prepared(SelectionPlan(selection))
    }

    /// Scans bytes that are one record, whitespace around it allowed.
    @discardableResult
    public func scan(_ bytes: RawSpan, into batch: inout RecordBatch) throws(RecordError) -> ScanResult {
        try scan(bytes, range: 0..<bytes.byteCount, into: &batch)
    }

    /// Scans `range` of a page, which is one record, whitespace around it allowed, and appends what is wanted to `batch`.
    ///
    /// On error nothing is appended. It is fastest where the page goes on for `padding` bytes behind the range, whatever they hold.
    @discardableResult
    public func scan(
        _ page: RawSpan,
        range: Range<Int>,
        into batch: inout RecordBatch
    ) throws(RecordError) -> ScanResult {
        precondition(range.lowerBound >= 0 && range.upperBound <= page.byteCount, "the record must lie in the page")
        let room = range.count + 1
        guard batch.bytes.count + room <= JSONLimit.batchBytesMax else { throw RecordError(.batchFull, at: 0) }
        let offset = batch.bytes.count
        var walk = RecordWalk.Outcome()
        batch.write(room: room) { output in
            walk = page.withUnsafeBytes { buffer in
                ByteWindow.padded(buffer, range) { bytes in
                    prepared.plan.withTables { plan in
                        var walk = RecordWalk(JSONGrammar(bytes: bytes), plan, output)
                        return walk.run()
                    }
                }
            }
            guard walk.end >= 0 else { return 0 }
            output[walk.length] = Sign.newline
            return walk.length + 1
        }
        guard walk.end >= 0 else { throw walk.end.error(end: range.count, field: prepared.plan.idField) }
        batch.append(
            RecordBatch.Entry(
                offset: offset,
                length: walk.length,
                idOffset: offset + walk.id.lowerBound,
                idLength: walk.id.count
            )
        )
        let asked = prepared.plan.asked
        return ScanResult(presentAll: asked != 0 && walk.seen == asked)
    }
}

/// What a scan says about the record that it has written.
public struct ScanResult: Sendable, Equatable {
    /// Whether the record, written or not, has every field of `RecordSelection.presentAll`; never when none was asked after.
    public let presentAll: Bool
}
