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
    private(set) var skipped = 0
    /// Of the written records, if the job keeps them.
    private(set) var digests: [DigestItem.Entry] = []

    private let recordsExpected: Int
    private let recordsMax: Int
    private let bytesMax: Int
    private let keepsDigests: Bool

    /// - Parameters:
    ///   - recordsExpected: How many records the page has; so much memory is taken once a first chunk says how large they are.
    ///   - settings: What bounds a chunk.
    ///   - keepsDigests: Whether the job wants the records' digests.
    init(recordsExpected: Int, settings: EngineSettings, keepsDigests: Bool = false) {
        self.recordsExpected = recordsExpected
        recordsMax = settings.chunkRecordsMax
        bytesMax = settings.chunkBytesMax
        self.keepsDigests = keepsDigests
    }

    /// Takes the chunks that are full off a batch, so that it never holds much more than one.
    mutating func takeFull(from batch: inout RecordBatch) {
        while batch.count >= recordsMax || (batch.entries.last?.range.upperBound ?? 0) > bytesMax { take(from: &batch) }
    }

    /// Takes what is left of the page.
    ///
    /// Refused records travel in chunks of their own: they are booked like any other, and never sent to the sink.
    mutating func finish(_ batch: inout RecordBatch, refusals: [Refusal], skipped: Int) {
        while !batch.isEmpty { take(from: &batch) }
        self.skipped = skipped
        for start in stride(from: 0, to: refusals.count, by: recordsMax) {
            append(refusals[start..<min(start + recordsMax, refusals.count)])
        }
    }

    /// Makes a chunk of as many records of a batch as fit in one, of the first at least.
    private mutating func take(from batch: inout RecordBatch) {
        var count = 1
        while count < min(batch.count, recordsMax), batch.entries[count].range.upperBound <= bytesMax { count += 1 }
        if keepsDigests { digests += batch.digests(of: 0..<count) }
        append(batch, 0..<count)
        batch.removeFirst(count)
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
        if chunks.isEmpty { reserve(batch, range) }
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

    /// Takes memory for all chunks if they are like the first; an eighth more, for growing would double it.
    private mutating func reserve(_ batch: RecordBatch, _ first: Range<Int>) {
        let chunks = (recordsExpected + first.count - 1) / first.count
        let bytes = batch.entries[first.upperBound - 1].range.upperBound + first.count * 48
        payload.reserveCapacity(bytes * chunks / 8 * 9)
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
