// What bounds the bytes of one answer.
import SluiceCore

/// The limits of a page, as its request states them.
struct PageLimits: Sendable {
    /// A page over this ends at its next continuation.
    let bytesWanted: Int
    let recordBytesMax: Int

    /// Of a record over the limit only so many bytes are given.
    static let refusedBytesKept = 64 << 10

    init(_ request: PageRequest) {
        bytesWanted = request.bytesWanted
        recordBytesMax = request.recordBytesMax
    }

    /// More than this is not kept for one page: a bucket is some 16 MiB at most, but nobody promises it.
    var bodyBytesMax: Int { max(16 * bytesWanted, 2 * recordBytesMax) }

    /// The record in a range, refused if it is too large; `count` is its length where its bytes are cut short.
    func record(_ range: Range<Int>, count: Int? = nil, position: Int) -> SourcePage.RawRecord {
        let length = count ?? range.count
        guard length > recordBytesMax else {
            return SourcePage.RawRecord(range: range, position: Int64(position))
        }
        return SourcePage.RawRecord(
            range: range.lowerBound..<min(range.upperBound, range.lowerBound + Self.refusedBytesKept),
            position: Int64(position),
            refusal: "the document has \(length) bytes, more than the limit of \(recordBytesMax)"
        )
    }
}

extension SourcePage {
    /// Sees to it that a scanner may read past the last record's end.
    mutating func pad() {
        let missing = (records.last?.range.upperBound ?? 0) + Self.padding - bytes.count
        if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
    }
}
