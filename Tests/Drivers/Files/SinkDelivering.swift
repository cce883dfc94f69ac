// Delivering chunks to a file sink and assembling what was placed.
import SluiceCore
import Synchronization
import Testing

@testable import FilesDriver

/// A sink's job, chunks of it, and its books.
struct SinkBench {
    let folder: TestFolder
    let job: JobID
    let output: String

    init(_ name: String = "out.jsonl", in folder: TestFolder) throws {
        self.folder = folder
        job = JobID(now: Timestamp(milliseconds: 1_700_000_000_000), random: SeededRandomSource(seed: 1))
        output = folder.path(name)
    }

    var segments: String { "\(output).\(job).partial.d" }

    func sink(_ owner: String = "worker/1", overwrite: Bool = false, segmentBytesMax: Int = 256 << 20) -> FileSink {
        FileSink(path: output, job: job, owner: owner, overwrite: overwrite, segmentBytesMax: segmentBytesMax)
    }

    /// A request for some records of a chunk, each as long as told.
    func request(
        _ number: Int,
        records: Int = 10,
        positions: [Int]? = nil,
        recordBytes: Int = 30
    ) throws -> DeliveryRequest {
        let ids = (0..<records).map { "\"\(number)-\($0)\"" }
        var text = "{\"ids\":[\(ids.joined(separator: ","))],\"refused\":{}}\n"
        for position in 0..<records { text += line(number, position, recordBytes) }
        return DeliveryRequest(
            chunk: ChunkID(job: job, slice: 0, page: 0, epoch: 1, number: number),
            positions: positions ?? Array(0..<records),
            records: try ChunkRecords(bytes: Array(text.utf8), count: records)
        )
    }

    func line(_ number: Int, _ position: Int, _ bytes: Int = 30) -> String {
        let start = "{\"_id\":\"\(number)-\(position)\"} "
        return start + String(repeating: "x", count: max(0, bytes - start.utf8.count)) + "\n"
    }

    /// Delivers, and expects that all records are completed.
    func place(_ request: DeliveryRequest, by sink: FileSink) async throws -> SinkPlace {
        let answer = await sink.deliver(request)
        guard case .answered(let outcomes, let place?) = answer else {
            throw UnexpectedAnswer(answer: answer)
        }
        #expect(outcomes == Array(repeating: .completed, count: request.positions.count))
        return place
    }

    func bytes(at place: SinkPlace) throws -> String {
        let bytes = try folder.read(String(segments.dropFirst(folder.path.utf8.count + 1)) + "/" + place.segment)
        return String(decoding: bytes[place.offset..<place.offset + place.length], as: UTF8.self)
    }
}

struct UnexpectedAnswer: Error {
    let answer: DeliveryAnswer
}

/// Gives spans a few at a time.
func spans(_ spans: [BookedSpan], atOnce: Int = 3) -> SpanSource {
    let rest = Mutex(spans[...])
    return { () throws(SinkError) in
        rest.withLock { rest in
            defer { rest = rest.dropFirst(atOnce) }
            return Array(rest.prefix(atOnce))
        }
    }
}

func spans(_ places: [SinkPlace], atOnce: Int = 3) -> SpanSource {
    spans(places.map { BookedSpan(place: $0) }, atOnce: atOnce)
}
