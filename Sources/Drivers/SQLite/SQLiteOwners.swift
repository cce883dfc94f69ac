// Who works on the database, proven by locks that the kernel keeps.
import Foundation
public import SluiceCore

/// One locked file for each opened backend, in the folder `<database>.owners`.
///
/// An owner that ended, in whatever way, has lost its lock; one that is stopped or busy keeps it.
public struct SQLiteOwners: OwnerRegistry {
    private static let suffix = ".lock"
    /// Ends the names of owners that do no work.
    private static let onlookerMark = "-onlooker"

    public let own: OwnerID
    let folder: String
    private let lock: OwnerLock

    /// Makes the folder and this owner's file.
    init(folder: String, isOnlooker: Bool = false, random: any RandomSource) throws(PortError) {
        self.folder = folder
        try makeFolder(folder)
        own = OwnerID(
            "\(ProcessInfo.processInfo.processIdentifier)-\(random.hexadecimal(12))\(isOnlooker ? Self.onlookerMark : "")"
        )
        lock = try OwnerLock.make(at: "\(folder)/\(own)\(Self.suffix)")
    }

    public func isGone(_ owner: OwnerID) async -> Bool {
        hasEnded(owner.text)
    }

    public func liveCount() async -> Int {
        max(1, live().count { !$0.hasSuffix(Self.onlookerMark) })
    }

    /// Whether some other process works on the database; those that only look are none.
    public func hasOtherWorkers() -> Bool {
        live().contains { $0 != own.text && !$0.hasSuffix(Self.onlookerMark) }
    }

    /// Whether the owner of this name has certainly ended; none of its system calls waits.
    func hasEnded(_ name: String) -> Bool {
        // A name that no owner could have is no proof of anything, and must not lead out of the folder.
        guard name != own.text, !name.isEmpty, !name.contains("/"), !name.contains("\0") else { return false }
        return OwnerLock.isAbandoned("\(folder)/\(name)\(Self.suffix)")
    }

    /// The names of the owners at work; removes the files of those that have ended.
    func live() -> [String] {
        names().filter { $0 == own.text || !hasEnded($0) }
    }

    /// Removes what owners left behind that ended while they began.
    func removeRemains() {
        for entry in entries() where entry.hasSuffix(".new") {
            _ = OwnerLock.isAbandoned("\(folder)/\(entry)")
        }
    }

    /// Ends this owner; its messages and leases are free from now on.
    func leave() {
        lock.release()
    }

    private func names() -> [String] {
        entries().filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }
    }

    private func entries() -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            // Somebody removed the folder: nobody can be proven to be at work or gone.
            return []
        }
    }
}

/// Makes a folder and those above it.
func makeFolder(_ folder: String) throws(PortError) {
    do {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch {
        throw PortError.noAccess(path: folder, cause: error)
    }
}
