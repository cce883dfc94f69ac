// A file descriptor that closes itself, with calls that finish what they begin and name what failed.
import Glibc

/// An open file.
///
/// Reads and writes name their offset, so that nothing depends on who moved it last.
final class OpenFile: Sendable {
    let descriptor: Int32
    let path: String

    /// Opens the file, closed on exec.
    init(_ path: String, _ flags: Int32) throws(SystemFailure) {
        self.path = path
        var opened: Int32
        repeat { opened = open(path, flags | O_CLOEXEC, 0o666) } while opened < 0 && errno == EINTR
        descriptor = opened
        guard opened >= 0 else { throw SystemFailure(flags & O_CREAT == 0 ? "open" : "create", path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Reads until the buffer is full or the file ends; gives how many bytes there were.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(SystemFailure) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, Int(offset) + done)
            if count == 0 { break }
            if count > 0 {
                done += count
            } else if errno != EINTR {
                throw SystemFailure("read", path)
            }
        }
        return done
    }

    /// Reads a part of the file, cut at its end.
    func read(count: Int, at offset: Int64) throws(SystemFailure) -> [UInt8] {
        do {
            return try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            }
        } catch let failure as SystemFailure {
            throw failure
        } catch {
            preconditionFailure("read throws nothing but a SystemFailure")
        }
    }

    /// Reads a file whose size is not known, such as those of `/proc`.
    func readAll(limit: Int) throws(SystemFailure) -> [UInt8] {
        try read(count: limit, at: 0)
    }

    /// Writes all of the bytes, or throws; what a failed call has written is unknown.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(SystemFailure) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = pwrite(descriptor, rest.baseAddress, rest.count, Int(offset) + done)
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw SystemFailure("write", path)
            }
        }
    }

    /// Writes all of the bytes, or throws; what a failed call has written is unknown.
    func write(_ bytes: [UInt8], at offset: Int64) throws(SystemFailure) {
        try bytes.span.withUnsafeBytes { bytes throws(SystemFailure) in try write(bytes, at: offset) }
    }

    /// Makes the content durable, and the size with it.
    func sync() throws(SystemFailure) {
        var result: Int32
        repeat { result = fdatasync(descriptor) } while result != 0 && errno == EINTR
        guard result == 0 else { throw SystemFailure("sync", path) }
    }

    func truncate(to bytes: Int64) throws(SystemFailure) {
        var result: Int32
        repeat { result = ftruncate(descriptor, Int(bytes)) } while result != 0 && errno == EINTR
        guard result == 0 else { throw SystemFailure("truncate", path) }
    }

    /// Takes the file's lock, which ends with the descriptor; false if somebody else holds it.
    func lock(waiting: Bool = false) throws(SystemFailure) -> Bool {
        var result: Int32
        repeat { result = flock(descriptor, waiting ? LOCK_EX : LOCK_EX | LOCK_NB) } while result != 0 && errno == EINTR
        if result == 0 { return true }
        guard errno == EWOULDBLOCK else { throw SystemFailure("lock", path) }
        return false
    }

    func status() throws(SystemFailure) -> FileStatus {
        var result = stat()
        guard fstat(descriptor, &result) == 0 else { throw SystemFailure("examine", path) }
        return FileStatus(result)
    }
}

/// What identifies a file and its state.
struct FileStatus: Sendable, Hashable {
    let device: UInt64
    let inode: UInt64
    let bytes: Int64
    /// Nanoseconds since 1970.
    let modified: Int64
    private let mode: UInt32

    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isLink: Bool { mode & S_IFMT == S_IFLNK }

    fileprivate init(_ result: stat) {
        device = UInt64(result.st_dev)
        inode = UInt64(result.st_ino)
        bytes = Int64(result.st_size)
        modified = Int64(result.st_mtim.tv_sec) * 1_000_000_000 + Int64(result.st_mtim.tv_nsec)
        mode = result.st_mode
    }

    /// Asks about the file under a path, or about a link itself if `following` is false.
    init(of path: String, following: Bool = true) throws(SystemFailure) {
        var result = stat()
        guard (following ? stat(path, &result) : lstat(path, &result)) == 0 else {
            throw SystemFailure("examine", path)
        }
        self.init(result)
    }

    /// The file's status, or nil if there is none.
    static func ifPresent(_ path: String, following: Bool = true) throws(SystemFailure) -> FileStatus? {
        do throws(SystemFailure) {
            return try FileStatus(of: path, following: following)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }
}
