// Records into one file, by way of segments: what a delivery writes, and how it is written.
import Glibc
import SluiceCore

/// The lines of one delivery, where they lie in the chunk.
struct DeliveryLines {
    private let records: ChunkRecords
    /// Parts of the chunk's lines; positions that follow each other are one part.
    private let parts: [Range<Int>]
    let bytes: Int

    init(_ request: DeliveryRequest) {
        records = request.records
        let first = request.records.count > 0 ? request.records.record(at: 0).startIndex : 0
        var parts: [Range<Int>] = []
        for position in request.positions {
            let record = request.records.record(at: position)
            // With its newline, which lies behind every record of a chunk.
            let line = record.startIndex - first..<record.endIndex - first + 1
            if let last = parts.last, last.upperBound == line.lowerBound {
                parts[parts.count - 1] = last.lowerBound..<line.upperBound
            } else {
                parts.append(line)
            }
        }
        self.parts = parts
        bytes = parts.reduce(0) { $0 + $1.count }
    }

    /// Writes all lines with one call, if the system takes them all at once.
    func write(to file: OpenFile, at offset: Int) throws(SystemFailure) {
        let result: Result<Void, SystemFailure> = records.withAllLines { lines in
            let parts = parts.map { UnsafeRawBufferPointer(rebasing: lines[$0]) }
            return Result { () throws(SystemFailure) in try file.write(gathering: parts, at: Int64(offset)) }
        }
        try result.get()
    }
}

extension OpenFile {
    /// Writes all of the parts, one behind the other, or throws; what a failed call has written is unknown.
    func write(gathering parts: [UnsafeRawBufferPointer], at offset: Int64) throws(SystemFailure) {
        guard parts.count > 1 else {
            if let part = parts.first { try write(part, at: offset) }
            return
        }
        let vectors = parts.map { part in
            iovec(iov_base: UnsafeMutableRawPointer(mutating: part.baseAddress), iov_len: part.count)
        }
        var written: Int
        repeat {
            written = pwritev(descriptor, vectors, Int32(min(vectors.count, 1024)), Int(offset))
        } while written < 0 && errno == EINTR
        guard written >= 0 else { throw SystemFailure("write", path) }
        // What one call did not take is written part by part.
        var start = 0
        for part in parts {
            let done = min(max(0, written - start), part.count)
            if done < part.count {
                try write(UnsafeRawBufferPointer(rebasing: part[done...]), at: offset + Int64(start + done))
            }
            start += part.count
        }
    }
}
