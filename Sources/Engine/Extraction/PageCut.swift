// Cuts a page into chunks and lays them out as its kept payload.
import SluiceCore

/// A page as it is kept and sent: all chunks one after the other in one object, and where each lies.
struct PageCut {
    struct Chunk: Equatable {
        var count: Int
        var offset: Int
        var length: Int
        /// Where the records lie in the payload, without their newlines, and where their ids; empty for refused ones.
        var lines: [Range<Int>] = []
        var idTokens: [Range<Int>] = []
    }

    /// A record that could not be transformed, with as much of its bytes as there is.
    struct Refusal {
        var reason: String
        var recordID: String?
        var bytes: [UInt8]
    }

    private(set) var payload: [UInt8] = []
    private(set) var chunks: [Chunk] = []
    let skipped: Int
    /// Of the written records, if the job keeps them.
    let digests: [DigestItem.Entry]

    /// Refused records travel in chunks of their own: they are booked like any other, and never sent to the sink.
    init(
        _ batch: RecordBatch,
        refusals: [Refusal],
        skipped: Int,
        settings: EngineSettings,
        keepsDigests: Bool = false
    ) {
        self.skipped = skipped
        digests = keepsDigests ? batch.digests : []
        payload.reserveCapacity(batch.bytes.count + batch.entries.count * 48)
        var start = 0
        while start < batch.entries.count {
            let first = batch.entries[start]
            var end = start + 1
            while end < batch.entries.count, end - start < settings.chunkRecordsMax,
                batch.entries[end].range.upperBound - first.offset <= settings.chunkBytesMax
            {
                end += 1
            }
            append(batch, start..<end)
            start = end
        }
        for start in stride(from: 0, to: refusals.count, by: settings.chunkRecordsMax) {
            append(refusals[start..<min(start + settings.chunkRecordsMax, refusals.count)])
        }
    }

    var recordCount: Int { chunks.reduce(0) { $0 + $1.count } }
    var sizes: [Int] { chunks.map(\.count) }
    /// Where each chunk begins, and after the last one its end.
    var offsets: [Int] { chunks.map(\.offset) + [payload.count] }

    /// The chunks as a reader of the payload would find them, by number; nil for refused records.
    var records: [ChunkRecords?] {
        chunks.map { chunk in
            chunk.lines.isEmpty ? nil : ChunkRecords(in: payload, lines: chunk.lines, idTokens: chunk.idTokens)
        }
    }

    private mutating func append(_ batch: RecordBatch, _ range: Range<Int>) {
        let offset = payload.count
        payload.append(contentsOf: #"{"ids":["#.utf8)
        for index in range {
            if index > range.lowerBound { payload.append(UInt8(ascii: ",")) }
            payload.append(contentsOf: batch.bytes[batch.idToken(at: index)])
        }
        payload.append(contentsOf: "]}\n".utf8)
        // The batch keeps its records one line each and one after the other, so a chunk is one span of it.
        let lines = batch.entries[range.lowerBound].offset...batch.entries[range.upperBound - 1].range.upperBound
        let shift = payload.count - lines.lowerBound
        payload.append(contentsOf: batch.bytes[lines])
        var chunk = Chunk(count: range.count, offset: offset, length: payload.count - offset)
        chunk.lines = batch.entries[range].map { $0.offset + shift..<$0.range.upperBound + shift }
        chunk.idTokens = range.map { index in
            let token = batch.idToken(at: index)
            return token.lowerBound + shift..<token.upperBound + shift
        }
        chunks.append(chunk)
    }

    private mutating func append(_ refusals: ArraySlice<Refusal>) {
        let offset = payload.count
        payload.append(contentsOf: #"{"ids":["#.utf8)
        for (position, refusal) in refusals.enumerated() {
            if position > 0 { payload.append(UInt8(ascii: ",")) }
            (refusal.recordID.map { .string($0) } ?? JSONValue.null).write(into: &payload)
        }
        payload.append(contentsOf: #"],"refused":{"#.utf8)
        for (position, refusal) in refusals.enumerated() {
            if position > 0 { payload.append(UInt8(ascii: ",")) }
            payload.append(contentsOf: "\"\(position)\":".utf8)
            JSONValue.string(refusal.reason).write(into: &payload)
        }
        payload.append(contentsOf: "}}\n".utf8)
        for refusal in refusals {
            // A source splits records at newlines, so a raw record holds none but by a driver's mistake.
            payload.append(contentsOf: refusal.bytes.lazy.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 })
            payload.append(UInt8(ascii: "\n"))
        }
        chunks.append(Chunk(count: refusals.count, offset: offset, length: payload.count - offset))
    }
}

/// Where a page's payload is kept: its key holds the epoch, so two epochs never share an object.
enum PayloadKey {
    static func page(job: JobID, slice: Int, page: Int, epoch: Int) -> String {
        "\(prefix(job))\(pad(slice, 3))/\(pad(page, 9))-\(pad(epoch, 6))"
    }

    static func page(of chunk: ChunkID) -> String {
        page(job: chunk.job, slice: chunk.slice, page: chunk.page, epoch: chunk.epoch)
    }

    static func prefix(_ job: JobID) -> String { "payload/\(job)/" }
}
