// Bytes on their way into an output file, packed with gzip where its name says so.
import CZlib
import SluiceCore

/// Appends to a file from its beginning.
///
/// Used by one thread at a time.
struct OutputStream {
    private let file: OpenFile
    private let packer: GzipPacker?
    private var written = 0

    init(to file: OpenFile, isGzip: Bool) throws(SinkError) {
        self.file = file
        packer = isGzip ? try GzipPacker() : nil
    }

    mutating func append(_ bytes: [UInt8]) throws(SinkError) {
        guard let packer else { return try write(bytes) }
        try packer.pack(bytes, isLast: false) { packed throws(SinkError) in try write(packed) }
    }

    /// Ends the output; gives the file's size.
    mutating func finish() throws(SinkError) -> Int {
        if let packer {
            try packer.pack([], isLast: true) { packed throws(SinkError) in try write(packed) }
        }
        return written
    }

    private mutating func write(_ bytes: [UInt8]) throws(SinkError) {
        do throws(SystemFailure) {
            try file.write(bytes, at: Int64(written))
        } catch {
            throw error.sinkError
        }
        written += bytes.count
    }
}

/// Makes one gzip member; the same content gives the same bytes, as no time is noted in it.
private final class GzipPacker {
    private static let outputBytes = 256 << 10

    private let stream: UnsafeMutablePointer<z_stream>

    init() throws(SinkError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for the gzip form; 8 is zlib's own choice of memory.
        let result = deflateInit2_(
            stream,
            Z_DEFAULT_COMPRESSION,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard result == Z_OK else { throw .transient("zlib could not begin to pack (\(result))") }
    }

    deinit {
        deflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    func pack(
        _ bytes: [UInt8],
        isLast: Bool,
        to write: ([UInt8]) throws(SinkError) -> Void
    ) throws(SinkError) {
        var bytes = bytes
        var span = bytes.mutableSpan
        try span.withUnsafeMutableBytes { buffer throws(SinkError) in
            precondition(buffer.count <= Int(UInt32.max), "zlib takes at most 4 GiB at once")
            stream.pointee.next_in = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(buffer.count)
            var isFull: Bool
            repeat {
                let packed = [UInt8](unsafeUninitializedCapacity: Self.outputBytes) { output, count in
                    stream.pointee.next_out = output.baseAddress
                    stream.pointee.avail_out = UInt32(output.count)
                    deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
                    count = output.count - Int(stream.pointee.avail_out)
                }
                isFull = stream.pointee.avail_out == 0
                if !packed.isEmpty { try write(packed) }
            } while isFull
        }
    }
}
