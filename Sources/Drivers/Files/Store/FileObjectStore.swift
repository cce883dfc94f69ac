// Objects as files below one folder: a key is a path, and a put is a rename.
import Glibc
package import SluiceCore
import Synchronization

/// An object store in a folder; several processes may share it.
///
/// Beyond the port's promises: an object is a plain file of its key's name, for anyone to read. Limits of file systems
/// hold: a part of a key has at most 255 bytes, and a key can't be the folder of another key (`invalidRequest`, both).
/// Removals are not synced: a removed object may be back after a power failure.
package final class FileObjectStore: ObjectStore {
    /// How often a put makes its folder again when somebody removes it, empty, at the same moment.
    private static let folderAttemptsMax = 100
    /// How many folders are remembered as durable; they are forgotten all at once.
    private static let foldersKnownMax = 4096

    let root: String
    let io: BlockingIO
    private let temporaries: Temporaries
    private let foldersKnown = Mutex<Set<String>>([])

    /// Opens the store, makes its folder if need be, and removes what crashed writers left unfinished.
    ///
    /// Blocks for as long as that takes.
    package init(
        root: String,
        random: any RandomSource = SystemRandomSource(),
        io: BlockingIO = .shared
    ) throws(PortError) {
        do throws(SystemFailure) {
            try Folder.makeAll(root)
            self.temporaries = try Temporaries(root: root, random: random)
        } catch {
            throw error.portError()
        }
        self.root = root
        self.io = io
    }

    package func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        let key = try FileKey(key)
        try await io.run { () throws(PortError) in
            if onlyIfAbsent { try self.checkAbsent(key) }
            let isPlaced: Bool
            do throws(SystemFailure) {
                let file = try self.temporaries.create()
                do throws(SystemFailure) {
                    try file.write(bytes, at: 0)
                    try file.sync()
                } catch {
                    try Folder.remove(file.path)
                    throw error
                }
                isPlaced = try self.publish(file.path, as: key, onlyIfAbsent: onlyIfAbsent)
            } catch {
                throw error.portError()
            }
            guard isPlaced else { throw Self.taken(key) }
        }
    }

    package func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        let key = try FileKey(key)
        guard (range?.lowerBound ?? 0) >= 0 else {
            throw PortError(.invalidRequest, "a range of \(key.text) begins before its first byte")
        }
        return try await io.run { () throws(PortError) in
            do throws(SystemFailure) {
                let file = try OpenFile(self.path(of: key), O_RDONLY)
                let status = try file.status()
                guard status.isRegular else { throw SystemFailure("read", file.path, number: ENOENT) }
                let whole = 0..<Int(status.bytes)
                let range = range?.clamped(to: whole) ?? whole
                return try file.read(count: range.count, at: Int64(range.lowerBound))
            } catch {
                throw error.portError(missing: .notFound)
            }
        }
    }

    package func size(of key: String) async throws(PortError) -> Int? {
        let key = try FileKey(key)
        return try await io.run { () throws(PortError) in
            do throws(SystemFailure) {
                let status = try FileStatus.ifPresent(self.path(of: key))
                return status.flatMap { $0.isRegular ? Int($0.bytes) : nil }
            } catch {
                throw error.portError()
            }
        }
    }

    package func write(_ key: String) async throws(PortError) -> any ObjectWriter {
        let key = try FileKey(key)
        return try await io.run { () throws(PortError) in
            do throws(SystemFailure) {
                return FileObjectWriter(key: key, file: try self.temporaries.create(), store: self)
            } catch {
                throw error.portError()
            }
        }
    }

    package func delete(_ keys: [String]) async throws(PortError) {
        var checked: [FileKey] = []
        for key in keys { try checked.append(FileKey(key)) }
        let wanted = checked
        try await io.run { () throws(PortError) in
            do throws(SystemFailure) {
                var folders: Set<String> = []
                for key in wanted {
                    let path = self.path(of: key)
                    // A folder is no object: under its name there is nothing to remove.
                    if let status = try FileStatus.ifPresent(path, following: false), !status.isFolder {
                        try Folder.remove(path)
                        folders.insert(key.folder)
                    }
                }
                for folder in folders { try self.prune(folder) }
            } catch {
                throw error.portError()
            }
        }
    }

    func path(of key: FileKey) -> String {
        root + "/" + key.text
    }
}

extension FileObjectStore {
    /// Gives a finished file its key's name, durably; false if the name is taken and may not be.
    func publish(_ file: String, as key: FileKey, onlyIfAbsent: Bool) throws(SystemFailure) -> Bool {
        var attempt = 1
        while true {
            do throws(SystemFailure) {
                try makeFolder(key.folder)
                if onlyIfAbsent {
                    let placed = try Folder.link(file, as: path(of: key))
                    try Folder.remove(file)
                    if !placed { return false }
                } else {
                    try Folder.rename(file, to: path(of: key))
                }
                try Folder.sync(path(ofFolder: key.folder))
                return true
            } catch {
                // Somebody's delete may have found the folder empty, and removed it.
                guard error.number == ENOENT, attempt < Self.folderAttemptsMax else {
                    try Folder.remove(file)
                    throw error
                }
                foldersKnown.withLock { _ = $0.remove(key.folder) }
                attempt += 1
            }
        }
    }

    static func taken(_ key: FileKey) -> PortError {
        PortError(.conditionFailed, "the key \"\(key.text)\" is taken")
    }

    private func checkAbsent(_ key: FileKey) throws(PortError) {
        do throws(SystemFailure) {
            if try FileStatus.ifPresent(path(of: key)) == nil { return }
        } catch {
            throw error.portError()
        }
        throw Self.taken(key)
    }

    /// Makes the folder and those above it, durably; the second time costs nothing.
    private func makeFolder(_ folder: String) throws(SystemFailure) {
        if folder.isEmpty || foldersKnown.withLock({ $0.contains(folder) }) { return }
        var above = root
        for part in folder.split(separator: "/") {
            try Folder.make(above + "/" + part)
            // Even if somebody else has just made it: its name may not be durable yet.
            try Folder.sync(above)
            above += "/" + part
        }
        foldersKnown.withLock { known in
            if known.count >= Self.foldersKnownMax { known.removeAll() }
            known.insert(folder)
        }
    }

    private func prune(_ folder: String) throws(SystemFailure) {
        var folder = folder
        while !folder.isEmpty {
            guard try Folder.removeIfEmpty(path(ofFolder: folder)) else { return }
            foldersKnown.withLock { _ = $0.remove(folder) }
            folder = folder.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(folder[..<$0]) } ?? ""
        }
    }

    private func path(ofFolder folder: String) -> String {
        folder.isEmpty ? root : root + "/" + folder
    }
}
