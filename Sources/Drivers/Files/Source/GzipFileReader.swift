// Reading what a gzip file unpacks to, member after member.
import CZlib
import Glibc
import SluiceCore

/// A gzip file, unpacked as it is read; going back means beginning again.
///
/// Several members are one content, and zeros after the last one are padding, as gzip itself has it. Every member's
/// checksum is checked when its end is read, hence after its records were given out.
final class GzipFileReader: FileReader {
    private static let inputBytes = 128 << 10

    private let file: FileCatalog.File
    private let open: OpenFile
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableBufferPointer<UInt8>
    /// How much of the file has been read into the input buffer, ever.
    private var fetched: Int64 = 0
    /// How much has been unpacked.
    private var unpacked: Int64 = 0
    /// Whether a member has been begun and not ended.
    private var isInMember = false
    private var isAtEnd = false
    /// What was taken back: the bytes directly before `unpacked`.
    private var tail: [UInt8] = []

    /// How often a read went back, so that unpacking began anew.
    private(set) var restarts = 0

    init(_ file: FileCatalog.File) throws(SourceError) {
        self.file = file
        open = try OpenFile(checked: file)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(capacity: Self.inputBytes)
        // 15 bits of window, and 16 for "gzip only".
        let result = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            throw .transient("zlib could not begin to unpack \(file.name) (\(result))")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
        input.deallocate()
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SourceError) -> Int {
        if offset < unpacked - Int64(tail.count) { restart() }
        if offset > unpacked { try skip(to: offset) }
        let kept = Int(unpacked - offset)
        guard kept == 0 else {
            let count = min(kept, buffer.count)
            tail.withUnsafeBytes { tail in
                let start = tail.count - kept
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: tail[start..<start + count]))
            }
            return try count + unpack(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
        }
        return try unpack(into: buffer)
    }

    func takeBack(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {
        guard offset + Int64(bytes.count) == unpacked else { return }
        tail.removeAll(keepingCapacity: true)
        tail.append(contentsOf: bytes)
    }

    func bytesOnDisk(upTo offset: Int64) -> Int64 {
        isAtEnd && offset >= unpacked ? file.status.bytes : fetched - Int64(stream.pointee.avail_in)
    }

    private func restart() {
        restarts += 1
        inflateReset(stream)
        stream.pointee.avail_in = 0
        fetched = 0
        unpacked = 0
        isInMember = false
        isAtEnd = false
        tail.removeAll()
    }

    private func skip(to offset: Int64) throws(SourceError) {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
        defer { scratch.deallocate() }
        while unpacked < offset {
            let wanted = Int(min(Int64(scratch.count), offset - unpacked))
            guard try unpack(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<wanted])) == wanted else {
                throw .changed(
                    "\(file.name) unpacks to \(unpacked) bytes, and byte \(offset) is wanted; \(FileChange.fix)"
                )
            }
        }
    }

    private func unpack(into buffer: UnsafeMutableRawBufferPointer) throws(SourceError) -> Int {
        var done = 0
        while done < buffer.count, !isAtEnd {
            guard try hasInput() else {
                guard !isInMember else { throw broken("ends in the middle: it is cut short") }
                isAtEnd = true
                break
            }
            if !isInMember {
                guard try beginMember() else { break }
            }
            let space = min(buffer.count - done, 1 << 30)
            stream.pointee.next_out = buffer.baseAddress?.advanced(by: done).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(space)
            let result = inflate(stream, Z_NO_FLUSH)
            let count = space - Int(stream.pointee.avail_out)
            done += count
            unpacked += Int64(count)
            switch result {
            case Z_OK, Z_BUF_ERROR: continue
            case Z_STREAM_END: isInMember = false
            default: throw broken("is corrupt: \(stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)")")
            }
        }
        if done > 0 { tail.removeAll(keepingCapacity: true) }
        return done
    }

    /// Makes sure that there is packed input; false at the file's end.
    private func hasInput() throws(SourceError) -> Bool {
        if stream.pointee.avail_in > 0 { return true }
        let wanted = Int(min(Int64(input.count), file.status.bytes - fetched))
        guard wanted > 0 else { return false }
        do throws(SystemFailure) {
            let count = try open.read(
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: input[..<wanted])),
                at: fetched
            )
            if count == wanted {
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = UInt32(count)
                fetched += Int64(count)
                return true
            }
        } catch {
            throw error.sourceError
        }
        try FileChange.check(file)
        throw .transient("\(file.name) could not be read to its end")
    }

    /// Begins the member that the input holds next; false if there are only zeros to the end of the file.
    private func beginMember() throws(SourceError) -> Bool {
        while stream.pointee.next_in.pointee == 0 {
            guard fetched - Int64(stream.pointee.avail_in) > 0 else { break }
            stream.pointee.next_in += 1
            stream.pointee.avail_in -= 1
            guard try hasInput() else {
                isAtEnd = true
                return false
            }
        }
        inflateReset(stream)
        isInMember = true
        return true
    }

    private func broken(_ problem: String) -> SourceError {
        let place = fetched - Int64(stream.pointee.avail_in)
        return .stopped(
            "\(file.name) \(problem) (byte \(place) of \(file.status.bytes), after \(unpacked) bytes unpacked); "
                + "records before that may have been moved already; cancel the job and create a new one for a sound file"
        )
    }
}
