// SQLite's errors in the words of the ports.
import GRDB
import Glibc
import SluiceCore

extension PortError {
    /// What an error from the database at `path` means to a caller.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as PortError: self = error
        case let error as DatabaseError: self.init(error, path: path)
        default: self.init(.unavailable, "the database \(path) could not be used: \(error)", cause: error)
        }
    }

    private init(_ error: DatabaseError, path: String) {
        switch error.resultCode {
        case .SQLITE_FULL:
            self = .noRoom(path: path, cause: error)
        case .SQLITE_IOERR where !hasRoom(beside: path):
            self = .noRoom(path: path, cause: error)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            let message = "another process has been writing to the database \(path) for too long; end it or try again"
            self.init(.unavailable, message, cause: error)
        case .SQLITE_NOTADB:
            let message = "\(path) is not a database; name another path, or move the file away to begin a new one"
            self.init(.invalidRequest, message, cause: error)
        case .SQLITE_CORRUPT:
            let message =
                "the database \(path) is damaged; restore it from a copy, or save what is left with "
                + "`sqlite3 \(path) .recover`"
            self.init(.invalidRequest, message, cause: error)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_AUTH:
            self = .noAccess(path: path, cause: error)
        case .SQLITE_TOOBIG:
            self.init(.invalidRequest, "a value is too large for the database \(path)", cause: error)
        default:
            self.init(.unavailable, "the database \(path) could not be used", cause: error)
        }
    }

    static func noAccess(path: String, cause: (any Error)? = nil) -> PortError {
        let message = "the database \(path) cannot be written; check that its folder exists and who may write there"
        return PortError(.unauthorized, message, cause: cause)
    }

    static func noRoom(path: String, cause: (any Error)? = nil) -> PortError {
        let message = "no room left on the device of the database \(path); nothing was written; free some and try again"
        return PortError(.outOfSpace, message, cause: cause)
    }

    /// The error of a system call that just failed on a file beside the database.
    static func systemCall(_ call: String, path: String, errno code: CInt) -> PortError {
        let cause = SystemCallError(call: call, path: path, code: code)
        return switch code {
        case EACCES, EPERM, EROFS, ENOTDIR, ENOENT, ELOOP, ENAMETOOLONG: .noAccess(path: path, cause: cause)
        case ENOSPC, EDQUOT: .noRoom(path: path, cause: cause)
        default: PortError(.unavailable, "\(path) could not be used", cause: cause)
        }
    }
}

/// A system call that failed.
struct SystemCallError: Error, CustomStringConvertible {
    let call: String
    let path: String
    let code: CInt

    var description: String { "\(call) \(path): \(String(cString: strerror(code)))" }
}

/// Free bytes on the device of a file or of its folder, or nil if the system does not say.
func freeBytes(beside path: String) -> Int? {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    var status = statvfs()
    guard statvfs(folder.isEmpty ? "/" : folder, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
}

/// Some failures of full devices reach us as mere I/O errors; then the room that is left tells.
private func hasRoom(beside path: String) -> Bool {
    freeBytes(beside: path).map { $0 >= 64 * 1024 } ?? true
}
