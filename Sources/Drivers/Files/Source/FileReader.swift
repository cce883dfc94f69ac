// Reading the content of one file of a source, plain or packed.
import Glibc
import SluiceCore

/// A file's content by offset; meant to be read forwards.
///
/// Used by one thread at a time.
protocol FileReader: AnyObject {
    /// Fills the buffer from the content at `offset`; fewer bytes than asked for are the last ones, none is the end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SourceError) -> Int

    /// Takes back what was read but not used, to be read again next; does nothing if reading again costs nothing.
    func takeBack(_ bytes: UnsafeRawBufferPointer, at offset: Int64)

    /// How many bytes of the file, as it lies on disk, it took to read up to `offset`.
    func bytesOnDisk(upTo offset: Int64) -> Int64
}

/// A file whose content is what lies on disk.
final class PlainFileReader: FileReader {
    private let file: FileCatalog.File
    private let open: OpenFile

    /// Opens the file and makes sure that it is the one in the catalog.
    init(_ file: FileCatalog.File) throws(SourceError) {
        self.file = file
        open = try OpenFile(checked: file)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SourceError) -> Int {
        // Never past the size that the job was created for: what is appended meanwhile is no part of it.
        let wanted = Int(min(Int64(buffer.count), max(0, file.status.bytes - offset)))
        let count: Int
        do throws(SystemFailure) {
            count = try open.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
        } catch {
            throw error.sourceError
        }
        guard count == wanted else {
            try FileChange.check(file)
            throw .transient("\(file.name) gave \(count) of \(wanted) bytes at byte \(offset)")
        }
        return count
    }

    func takeBack(_ bytes: UnsafeRawBufferPointer, at offset: Int64) {}

    func bytesOnDisk(upTo offset: Int64) -> Int64 { offset }
}

extension OpenFile {
    /// Opens a file of the catalog for reading.
    ///
    /// - Throws: `SourceError.changed` if it is not as it was, `.stopped` if it may not be read.
    convenience init(checked file: FileCatalog.File) throws(SourceError) {
        try FileChange.check(file)
        do throws(SystemFailure) {
            try self.init(file.path, O_RDONLY)
            _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        } catch {
            throw error.sourceError
        }
    }
}
