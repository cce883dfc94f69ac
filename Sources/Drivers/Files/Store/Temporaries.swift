// Files that are being written: each opener of a store has a locked folder of its own for them.
import Glibc
import SluiceCore
import Synchronization

/// The folder in which this opener's objects are written before they get their names.
///
/// The lock on it says that its owner lives. Folders that nobody holds are a crashed owner's and are removed by the
/// next one to open the store.
final class Temporaries: Sendable {
    static let folderName = ".tmp"

    private let folder: String
    private let lock: OpenFile
    private let count = Mutex(0)

    init(root: String, random: any RandomSource) throws(SystemFailure) {
        let shared = root + "/" + Self.folderName
        try Folder.make(shared)
        // Held while folders come and go, so that nobody takes a new folder for an orphan before it is locked.
        let gate = try OpenFile(shared, O_RDONLY | O_DIRECTORY)
        _ = try gate.lock(waiting: true)
        try Self.removeOrphans(in: shared)
        var folder: String
        repeat { folder = shared + "/" + random.hexadecimal(16) } while try !Folder.make(folder)
        let lock = try OpenFile(folder, O_RDONLY | O_DIRECTORY)
        _ = try lock.lock()
        self.folder = folder
        self.lock = lock
    }

    deinit {
        do throws(SystemFailure) {
            try Folder.removeWithFiles(folder)
        } catch {
            // What stays is an orphan, and the next opener's to remove.
        }
    }

    /// A new empty file.
    func create() throws(SystemFailure) -> OpenFile {
        let number = count.withLock { count in
            count += 1
            return count
        }
        return try OpenFile("\(folder)/\(number)", O_RDWR | O_CREAT | O_EXCL)
    }

    private static func removeOrphans(in shared: String) throws(SystemFailure) {
        for entry in try Folder.entries(of: shared) ?? [] {
            do throws(SystemFailure) {
                try remove(entry.isFolder, shared + "/" + entry.name)
            } catch {
                // An owner that ends removes its folder without waiting for the gate: what is gone is nobody's any more.
                guard error.isMissing else { throw error }
            }
        }
    }

    /// A file always, a folder unless somebody holds it.
    private static func remove(_ isFolder: Bool, _ path: String) throws(SystemFailure) {
        guard isFolder else {
            _ = try Folder.remove(path)
            return
        }
        let folder = try OpenFile(path, O_RDONLY | O_DIRECTORY)
        if try folder.lock() { try Folder.removeWithFiles(path) }
    }
}
