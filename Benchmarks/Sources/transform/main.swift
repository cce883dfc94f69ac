// Documents per CPU second of the Marqo transform.
//
//     transform dump KIND COUNT FLOATS OUT.ndjson     makes the documents
//     transform run KIND DOCS.ndjson [--write OUT.ndjson]
//     transform foundation KIND DOCS.ndjson           the same mapping over Foundation's JSONSerialization

import Glibc
import Meter
import ReindexPipeline
import SluiceCore
import SluiceStandIns

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

func dump(_ corpus: ProductCorpus, to path: String) {
    var bytes: [UInt8] = []
    for index in 0..<corpus.count {
        bytes += Array("{\"put\":\"\(corpus.documentID(index))\",\"fields\":".utf8)
        corpus.write(index, into: &bytes)
        bytes += Array("}\n".utf8)
    }
    writeFile(bytes, to: path)
    // What making a document costs, beside what moving it costs.
    var fields: [UInt8] = []
    let seconds = Meter().seconds {
        for index in 0..<corpus.count {
            fields.removeAll(keepingCapacity: true)
            corpus.write(index, into: &fields)
        }
    }
    let perDocument = seconds / Double(corpus.count) * 1e9
    print("\(corpus.kind.rawValue): \(bytes.count / corpus.count) bytes and \(Int(perDocument)) ns to make one document")
}

func report(_ side: String, _ kind: IndexKind, _ records: Int, _ bytes: Int, _ seconds: Double) {
    let work = CommandLine.arguments.contains("--label") ? CommandLine.arguments.last ?? "" : kind.rawValue
    print(
        """
        {"side":"\(side)","work":"\(work)","records":\(records),\
        "recordsPerCPUSecond":\(Int(Double(records) / seconds)),"megabytesPerCPUSecond":\(Int(Double(bytes) / seconds / 1e6))}
        """
    )
}

func run(_ kind: IndexKind, _ path: String, writeTo output: String?) {
    var page = readFile(path)
    let records = lines(of: page)
    let total = page.count
    page += [UInt8](repeating: 0, count: SourcePage.padding)
    let declared = ProductCorpus(kind: kind, seed: 0, count: 0).declared
    let transform = MarqoTransform(kind: kind, declared: declared, type: .post, fields: [], skipIfPresent: [])
    var batch = RecordBatch()
    func once(_ isFull: (RecordBatch) -> Bool) {
        batch.removeAll()
        page.withUnsafeBytes { bytes in
            for record in records {
                if isFull(batch) { batch.removeAll() }
                let outcome = transform.transform(bytes, range: record, into: &batch)
                guard outcome == .written else { fatalError("\(outcome)") }
            }
        }
    }
    if let output {
        once { _ in false }
        writeFile(batch.bytes, to: output)
        return
    }
    report("sluice", kind, records.count, total, Meter().seconds { once { $0.count == chunk } })
}

func option(_ name: String) -> String? {
    guard let place = CommandLine.arguments.firstIndex(of: name) else { return nil }
    return CommandLine.arguments.dropFirst(place + 1).first
}

let arguments = CommandLine.arguments
guard arguments.count >= 4, let kind = IndexKind(rawValue: arguments[2]) else {
    print("usage: transform dump KIND COUNT FLOATS OUT | run KIND DOCS [--write OUT] | foundation KIND DOCS")
    exit(64)
}
switch arguments[1] {
case "dump":
    let corpus = ProductCorpus(kind: kind, seed: 1, count: Int(arguments[3]) ?? 0, floats: Int(arguments[4]) ?? 0)
    dump(corpus, to: arguments[5])
case "foundation":
    let bytes = readFile(arguments[3])
    let texts = lines(of: bytes).map { bytes[$0] }
    let seconds = try FoundationPeer(kind).seconds(texts)
    report("Foundation", kind, texts.count, bytes.count, seconds)
default: run(kind, arguments[3], writeTo: option("--write"))
}
