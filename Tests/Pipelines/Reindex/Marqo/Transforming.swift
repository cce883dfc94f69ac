// How the tests transform: always twice, alone and in the middle of a page that goes on misleadingly.

import ReindexPipeline
import SluiceCore

/// What became of one document, in one comparable value.
struct Transformed: Equatable {
    var outcome: TransformOutcome
    /// What was written, without its newline.
    var text = ""
    var id = ""

    static func written(_ text: String, id: String) -> Transformed {
        Transformed(outcome: .written, text: text, id: id)
    }

    static func refused(_ reason: String, at offset: Int, id: String? = nil) -> Transformed {
        Transformed(outcome: .refused(reason: reason, offset: offset, recordID: id))
    }

    var reason: String? {
        if case .refused(let reason, _, _) = outcome { reason } else { nil }
    }

    var recordID: String? {
        if case .refused(_, _, let id) = outcome { id } else { nil }
    }
}

/// Bytes that would complete almost anything that is cut off before them.
private let lures = [
    "\"}]}}],\"marqo__id\":\"lure\"}}", "}}", "]}}", "5.5e5,\"a\":1}}", ":\"x\"}}", "lse}}", "u0041\"}}",
]

extension MarqoTransform {
    init(
        _ kind: IndexKind,
        _ declared: [String: FieldType] = [:],
        patch fields: [String]? = nil,
        skip: [String] = []
    ) {
        let type = fields == nil ? Job.ReindexType.post : .patch
        self.init(kind: kind, declared: declared, type: type, fields: fields ?? [], skipIfPresent: skip)
    }

    func callAsFunction(_ text: [UInt8]) -> Transformed {
        let alone = outcome(of: text, before: [], after: [])
        for lure in lures {
            let inPage = outcome(of: text, before: Array("{\"put\":".utf8), after: Array(lure.utf8))
            // The page around a document makes no difference to it, or the answer is an error of its own.
            if inPage != alone { return Transformed(outcome: inPage.outcome, text: "in a page: \(inPage.text)") }
        }
        return alone
    }

    func callAsFunction(_ text: String) -> Transformed {
        self(Array(text.utf8))
    }

    private func outcome(of text: [UInt8], before: [UInt8], after: [UInt8]) -> Transformed {
        let page = before + text + after + [UInt8](repeating: 0x20, count: SourcePage.padding)
        let untouched = page
        var batch = RecordBatch()
        let outcome = page.withUnsafeBytes { bytes in
            transform(bytes, range: before.count..<before.count + text.count, into: &batch)
        }
        guard page == untouched else { return Transformed(outcome: outcome, text: "the input was modified") }
        guard outcome == .written else {
            return Transformed(outcome: outcome, text: batch.bytes.isEmpty ? "" : "left something")
        }
        guard batch.count == 1, batch.bytes.last == 0x0A, !batch.bytes.dropLast().contains(0x0A) else {
            return Transformed(outcome: outcome, text: "badly appended")
        }
        return .written(String(decoding: batch.record(at: 0), as: UTF8.self), id: batch.id(at: 0))
    }
}

/// A document as the visit's stream has it, around its fields.
func put(_ fields: String, id: String = "id:shop:shop::a") -> String {
    "{\"put\":\"\(id)\",\"fields\":\(fields)}"
}
