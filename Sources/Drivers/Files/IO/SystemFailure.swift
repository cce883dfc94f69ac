// A system call that failed: which, on what, and what that means to whom.
import Glibc
import SluiceCore

/// What the system answered, in words that name the file and the fix.
struct SystemFailure: Error, CustomStringConvertible {
    /// The system's error number.
    let number: Int32
    /// What was being done, such as `read`.
    let action: String
    let path: String

    init(_ action: String, _ path: String, number: Int32 = errno) {
        self.number = number
        self.action = action
        self.path = path
    }

    var isMissing: Bool { number == ENOENT || number == ENOTDIR }
    var isFull: Bool { number == ENOSPC || number == EDQUOT }
    var isForbidden: Bool { number == EACCES || number == EPERM || number == EROFS }
    var isImpossible: Bool { [ENAMETOOLONG, ENOTDIR, EISDIR, EINVAL, ELOOP].contains(number) }
    /// Too many files are open just now.
    var isCrowded: Bool { number == EMFILE || number == ENFILE || number == ENOMEM }

    var description: String { "cannot \(action) \(path): \(String(cString: strerror(number)))" }

    /// The failure with what somebody can do about it.
    var advice: String {
        switch number {
        case ENOSPC: "\(description); \(Device.name(of: path)) is full: free some space, then resume the job"
        case EDQUOT: "\(description); the quota on \(Device.name(of: path)) is used up: raise it, then resume the job"
        case EROFS:
            "\(description); \(Device.name(of: path)) is mounted read-only: mount it writable, then resume the job"
        case EACCES, EPERM: "\(description); give this user the permission, then resume the job"
        case ENOENT, ENOTDIR: "\(description); put it back, then resume the job"
        case EMFILE, ENFILE: "\(description); raise the limit of open files (ulimit -n)"
        default: description
        }
    }

    /// The failure as the object store's callers know it; an object that is missing while it is read is `notFound`.
    func portError(missing: PortError.Code = .unavailable) -> PortError {
        let code: PortError.Code =
            switch number {
            case ENOENT: missing
            case ENOTDIR where missing == .notFound: missing
            case _ where isFull: .outOfSpace
            case _ where isForbidden: .unauthorized
            case _ where isImpossible: .invalidRequest
            default: .unavailable
            }
        return PortError(code, isFull ? advice : description)
    }

    var sourceError: SourceError {
        isForbidden || isMissing || isImpossible ? .stopped(advice) : .transient(advice)
    }

    var sinkError: SinkError {
        isFull || isForbidden || isMissing || isImpossible ? .stopped(advice) : .transient(advice)
    }

    /// The failure as the answer to a delivery of which nothing is kept.
    var deliveryAnswer: DeliveryAnswer {
        isFull || isForbidden || isMissing || isImpossible
            ? .halted(reason: advice) : .unknown(reason: advice, after: nil)
    }
}

/// The device that a file lies on, for people.
enum Device {
    /// Such as `/dev/vda1 (mounted at /data)`; the numbers of the device if the system does not tell more.
    static func name(of path: String) -> String {
        guard let device = nearestDevice(path) else { return "the device" }
        // The kernel's packing of device numbers, as in gnu_dev_major and gnu_dev_minor.
        let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
        let minor = device & 0xFF | (device >> 12) & ~0xFF
        let number = "\(major):\(minor)"
        return mounted(number) ?? "device \(number)"
    }

    private static func nearestDevice(_ path: String) -> UInt64? {
        var path = path[...]
        while true {
            do throws(SystemFailure) {
                return try FileStatus(of: path.isEmpty ? "/" : String(path)).device
            } catch {
                guard let slash = path.lastIndex(of: "/") else { return nil }
                path = path[..<slash]
            }
        }
    }

    private static func mounted(_ number: String) -> String? {
        do throws(SystemFailure) {
            let table = try OpenFile("/proc/self/mountinfo", O_RDONLY).readAll(limit: 1 << 20)
            for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard fields.count > 5, fields[2] == number, let dash = fields.firstIndex(of: "-"),
                    dash + 2 < fields.count
                else { continue }
                return "\(fields[dash + 2]) (mounted at \(fields[4]))"
            }
            return nil
        } catch {
            // Only a name for a message: the numbers serve where the table can't be read.
            return nil
        }
    }
}
