// A file whose lock the kernel lets go when its process ends.
import Glibc
import SluiceCore

/// An exclusive lock on an open file, held until `release`, or until the process ends in whatever way.
///
/// The lock belongs to the open file and not to the process, so that two openings in one process exclude each other too.
final class OwnerLock: Sendable {
    let path: String
    private let descriptor: CInt

    private init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// How often it is tried: each time somebody would have to look in the same few microseconds.
    private static let triesMax = 100

    /// Makes the file and locks it before anybody can see it under its name.
    static func make(at path: String) throws(PortError) -> OwnerLock {
        for number in 1...triesMax {
            if let lock = try make(at: path, by: "\(path).\(number).new") { return lock }
        }
        throw PortError(.unavailable, "\(path) was removed again and again while it was made; try again")
    }

    /// Nil if somebody took the file for what a dead owner left behind, which it looks like until it is locked.
    private static func make(at path: String, by hidden: String) throws(PortError) -> OwnerLock? {
        let descriptor = open(hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw PortError.systemCall("open", path: hidden, errno: errno) }
        let lock = OwnerLock(path: path, descriptor: descriptor)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            if errno == EWOULDBLOCK { return nil }
            throw PortError.systemCall("flock", path: hidden, errno: errno)
        }
        guard rename(hidden, path) == 0 else {
            if errno == ENOENT { return nil }
            throw PortError.systemCall("rename", path: path, errno: errno)
        }
        return lock
    }

    /// Removes the file while its lock is still held, so that nobody takes it for a dead owner's.
    func release() {
        unlinkIfSame()
    }

    /// Whether the owner of the file has certainly ended; then the file is gone too.
    ///
    /// A file that is not there was removed by its owner at its end, or by somebody who had its lock.
    static func isAbandoned(_ path: String) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return errno == ENOENT }
        let lock = OwnerLock(path: path, descriptor: descriptor)
        // Somebody has it: the owner, or another who is looking just now. Neither proves an end.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { return false }
        lock.unlinkIfSame()
        return true
    }

    /// Removes the path only if it still names the file that is open and locked here.
    private func unlinkIfSame() {
        var own = stat()
        var named = stat()
        guard fstat(descriptor, &own) == 0, stat(path, &named) == 0 else { return }
        if own.st_ino == named.st_ino && own.st_dev == named.st_dev { unlink(path) }
    }
}
