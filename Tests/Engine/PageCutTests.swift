// A page is cut while it is transformed, and its chunks are the same as if it were cut afterwards.
import SluiceCore
import Testing

@testable import SluiceEngine

@Suite("The cut of a page", .timeLimit(.minutes(1)))
struct PageCutTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// The lengths of the page's records.
        var lengths: [Int]
        /// How many records each chunk has, with at most 3 records and 100 bytes in one.
        var chunks: [Int]
    }

    @Test(
        "a chunk ends at its records or at its bytes, and a record that is too large alone has a chunk of its own",
        arguments: [
            Case(testDescription: "no record", lengths: [], chunks: []),
            Case(testDescription: "one record", lengths: [20], chunks: [1]),
            Case(testDescription: "a full chunk", lengths: [20, 20, 20], chunks: [3]),
            Case(testDescription: "one more", lengths: [20, 20, 20, 20], chunks: [3, 1]),
            Case(testDescription: "exactly as many bytes, newlines between", lengths: [49, 50, 20], chunks: [2, 1]),
            Case(testDescription: "one byte more", lengths: [50, 50, 20], chunks: [1, 2]),
            Case(testDescription: "the last of three is over", lengths: [40, 40, 20, 30], chunks: [2, 2]),
            Case(testDescription: "a giant first", lengths: [500, 20, 20], chunks: [1, 2]),
            Case(testDescription: "a giant between", lengths: [20, 500, 20], chunks: [1, 1, 1]),
            Case(testDescription: "giants only", lengths: [500, 101, 100, 500], chunks: [1, 1, 1, 1]),
        ]
    )
    func boundaries(_ page: Case) throws {
        let records = page.lengths.enumerated().map { Self.record($0, length: $1) }
        let cut = Self.cut(records)
        #expect(cut.sizes == page.chunks)
        #expect(cut.recordCount == records.count)
        var found: [String] = []
        for (number, chunk) in cut.chunks.enumerated() {
            let kept = Array(cut.payload[chunk.offset..<chunk.offset + chunk.length])
            let read = try ChunkRecords(bytes: kept, count: chunk.count)
            let remembered = try #require(cut.records[number])
            for position in 0..<chunk.count {
                #expect(read.record(at: position) == remembered.record(at: position))
                #expect(read.id(at: position) == "\(found.count)")
                #expect(remembered.id(at: position) == "\(found.count)")
                found.append(String(decoding: read.record(at: position), as: UTF8.self))
            }
        }
        #expect(found == records)
        #expect(cut.offsets.last == cut.payload.count)
    }

    @Test("digests are those of all records, in their order")
    func digests() {
        let records = (0..<8).map { Self.record($0, length: 30) }
        let whole = Self.batch(records)
        #expect(Self.cut(records).digests == whole.digests)
        #expect(Self.cut(records, keepsDigests: false).digests.isEmpty)
    }

    @Test("refused records have chunks of their own behind all others")
    func refusals() {
        let refusals = (0..<4).map { PageCut.Refusal(reason: "bad", recordID: "r\($0)", bytes: Array("raw".utf8)) }
        let cut = Self.cut([Self.record(0, length: 20)], refusals: refusals, skipped: 2)
        #expect(cut.sizes == [1, 3, 1])
        #expect(cut.records.map { $0 == nil } == [false, true, true])
        #expect(cut.skipped == 2)
    }

    private static func cut(
        _ records: [String],
        refusals: [PageCut.Refusal] = [],
        skipped: Int = 0,
        keepsDigests: Bool = true
    ) -> PageCut {
        var settings = EngineSettings()
        settings.chunkRecordsMax = 3
        settings.chunkBytesMax = 100
        var cut = PageCut(recordsExpected: records.count, settings: settings, keepsDigests: keepsDigests)
        var batch = RecordBatch()
        for record in records {
            add(record, to: &batch)
            cut.takeFull(from: &batch)
            #expect(batch.count < 3)
        }
        cut.finish(&batch, refusals: refusals, skipped: skipped)
        #expect(batch.isEmpty)
        return cut
    }

    private static func batch(_ records: [String]) -> RecordBatch {
        var batch = RecordBatch()
        for record in records { add(record, to: &batch) }
        return batch
    }

    /// `{"_id":"7","a":"xx…"}` of that many bytes.
    private static func record(_ number: Int, length: Int) -> String {
        let start = #"{"_id":"\#(number)","a":""#
        return start + String(repeating: "x", count: length - start.utf8.count - 2) + "\"}"
    }

    private static func add(_ record: String, to batch: inout RecordBatch) {
        let bytes = Array(record.utf8)
        batch.append(room: bytes.count) { output in
            for (place, byte) in bytes.enumerated() { output[place] = byte }
            return (bytes.count, 8..<9)
        }
    }
}
