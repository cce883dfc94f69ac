// How the grammar answers: with the next place, or with why there is none.

/// An offset into the text, or below zero a failure: code and offset folded into one number.
///
/// One register instead of an error channel: a reader checks one sign after each token, and nothing is built before it fails.
@usableFromInline
package typealias Place = Int

extension Place {
    private static let codeBits = 8

    @usableFromInline @inline(never)
    package static func failure(_ code: RecordError.Code, at offset: Int) -> Place {
        let index = RecordError.Code.allCases.firstIndex(of: code) ?? 0
        return ~(offset << codeBits | index)
    }

    /// The error a place below zero stands for; what went wrong at or behind the end went wrong because the text ends.
    package func error(end: Int, field: String? = nil) -> RecordError {
        let code = RecordError.Code.allCases[~self & (1 << Self.codeBits - 1)]
        let offset = ~self >> Self.codeBits
        let isGrammar =
            switch code {
            case .missingID, .invalidID, .emptyID, .duplicateID, .batchFull: false
            default: true
            }
        guard isGrammar else { return RecordError(code, at: offset, field: field) }
        return offset >= end ? RecordError(.truncated, at: end) : RecordError(code, at: offset)
    }
}
