// Records per CPU second of the record scanner: scan DOCS.ndjson [drop|keep|whole] [--write OUT.ndjson]

import Glibc
import Meter
import SluiceCore

/// The same three kinds of work as peers/scan_orjson.py.
let works: [String: RecordSelection] = [
    "drop": RecordSelection(
        drop: [
            "_rid", "_etag", "_ts", "_attachments", "audit", "customer.email", "customer.phone", "lines.internal",
        ]
    ),
    "keep": RecordSelection(keep: ["title", "price", "stock", "tags"]),
    "whole": RecordSelection(),
]

/// A chunk's worth of records shares a batch, as in a reindex.
let chunk = 100

func readFile(_ path: String) -> [UInt8] {
    guard let file = fopen(path, "r") else { return [] }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 20)
    while case let count = fread(&piece, 1, piece.count, file), count > 0 { bytes += piece[..<count] }
    return bytes
}

func writeFile(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

func lines(of bytes: [UInt8]) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = 0
    for (place, byte) in bytes.enumerated() where byte == 0x0A {
        lines.append(start..<place)
        start = place + 1
    }
    return lines
}

func run(_ work: String, _ selection: RecordSelection, _ path: String, writeTo output: String?) throws {
    var page = readFile(path)
    let records = lines(of: page)
    let total = records.reduce(0) { $0 + $1.count }
    page += [UInt8](repeating: 0, count: RecordScanner.padding)
    let scanner = RecordScanner(selection)

    if let output {
        var all = RecordBatch()
        for record in records { try scanner.scan(page.span.bytes, range: record, into: &all) }
        writeFile(all.bytes, to: output)
    }

    var batch = RecordBatch()
    var written = 0
    let seconds = try Meter().seconds {
        written = 0
        let bytes = page.span.bytes
        for record in records {
            if batch.count == chunk {
                written += batch.bytes.count
                batch.removeAll()
            }
            try scanner.scan(bytes, range: record, into: &batch)
        }
        written += batch.bytes.count
        batch.removeAll()
    }
    let perSecond = Int(Double(records.count) / seconds)
    let megabytes = Int(Double(total) / seconds / 1e6)
    print(
        """
        {"side":"sluice","work":"\(work)","records":\(records.count),"recordsPerCPUSecond":\(perSecond),\
        "megabytesPerCPUSecond":\(megabytes),"bytesIn":\(total),"bytesOut":\(written - records.count)}
        """
    )
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let selection = works[arguments[2]] else {
    print("usage: scan DOCS.ndjson drop|keep|whole [--write OUT.ndjson]")
    exit(64)
}
try run(
    arguments[2],
    selection,
    arguments[1],
    writeTo: arguments.count == 5 && arguments[3] == "--write" ? arguments[4] : nil
)
