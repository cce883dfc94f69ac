// How the tests scan: always twice, alone and in the middle of a page that goes on misleadingly.

import SluiceCore

/// What became of one scan, in one comparable value.
struct Scanned: Equatable {
    var error: RecordError?
    var text = ""
    var id = ""
    var presentAll = false
}

/// Bytes that would complete almost anything that is cut off before them.
private let lures = [
    "\"}]}}],\"_id\":\"lure\"}", "}", "]", "5.5e5,", "e\":1}", ":\"x\"}", "lse}", "ull,\"_id\":1}", "u0041\"}",
    "0041\",", "DC00\"}",
    ",{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
]

/// The scan's outcome; the page around a record makes no difference to it, or the answer is an error of its own.
func scan(_ text: [UInt8], _ selection: RecordSelection = RecordSelection()) -> Scanned {
    let scanner = RecordScanner(selection)
    var batch = RecordBatch()
    let alone = outcome(batch: &batch) { batch throws(RecordError) in try scanner.scan(text.span.bytes, into: &batch) }
    for lure in lures {
        let before = Array("{\"_id\":".utf8)
        let after = Array(lure.utf8) + [UInt8](repeating: 0x20, count: RecordScanner.padding)
        let page = before + text + after
        let range = before.count..<before.count + text.count
        let inPage = outcome(batch: &batch) { batch throws(RecordError) in
            try scanner.scan(page.span.bytes, range: range, into: &batch)
        }
        if inPage != alone { return Scanned(text: "before \(lure): \(inPage), but alone: \(alone)") }
    }
    return alone
}

func scan(_ text: String, _ selection: RecordSelection = RecordSelection()) -> Scanned {
    scan(Array(text.utf8), selection)
}

private func outcome(
    batch: inout RecordBatch,
    _ scan: (inout RecordBatch) throws(RecordError) -> ScanResult
) -> Scanned {
    let before = batch
    do {
        let result = try scan(&batch)
        let last = batch.count - 1
        let text = String(decoding: batch.record(at: last), as: UTF8.self)
        guard batch.bytes.last == 0x0A, batch.count == before.count + 1 else { return Scanned(text: "badly appended") }
        return Scanned(text: text, id: batch.id(at: last), presentAll: result.presentAll)
    } catch {
        guard batch.bytes == before.bytes, batch.entries == before.entries else {
            return Scanned(text: "left something")
        }
        return Scanned(error: error)
    }
}
