// What is done to folders and to the names in them.
import Glibc

/// Calls on names in folders; durable only where they say so.
enum Folder {
    struct Entry {
        let name: String
        let isFolder: Bool
    }

    /// Makes the folder unless it is there; says whether it made it.
    @discardableResult
    static func make(_ path: String) throws(SystemFailure) -> Bool {
        if mkdir(path, 0o777) == 0 { return true }
        guard errno == EEXIST else { throw SystemFailure("create the folder", path) }
        return false
    }

    /// Makes the folder and those above it, durably.
    static func makeAll(_ path: String) throws(SystemFailure) {
        if let status = try FileStatus.ifPresent(path), status.isFolder { return }
        let above = parent(of: path)
        if above != path { try makeAll(above) }
        try make(path)
        try sync(above)
    }

    /// Makes the names in the folder durable.
    static func sync(_ path: String) throws(SystemFailure) {
        let folder = try OpenFile(path, O_RDONLY | O_DIRECTORY)
        guard fsync(folder.descriptor) == 0 else { throw SystemFailure("sync", path) }
    }

    /// Gives the file another name, in place of what bears it.
    static func rename(_ path: String, to other: String) throws(SystemFailure) {
        guard Glibc.rename(path, other) == 0 else { throw SystemFailure("rename to \(other)", path) }
    }

    /// Gives the file a second name; false if that name is taken.
    static func link(_ path: String, as other: String) throws(SystemFailure) -> Bool {
        if Glibc.link(path, other) == 0 { return true }
        guard errno == EEXIST else { throw SystemFailure("link \(path) as", other) }
        return false
    }

    /// Removes the file; false if there was none.
    @discardableResult
    static func remove(_ path: String) throws(SystemFailure) -> Bool {
        if unlink(path) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw SystemFailure("remove", path) }
        return false
    }

    /// Removes the folder if it is empty; false if it is not, or not there.
    @discardableResult
    static func removeIfEmpty(_ path: String) throws(SystemFailure) -> Bool {
        if rmdir(path) == 0 { return true }
        guard [ENOTEMPTY, EEXIST, ENOENT, ENOTDIR].contains(errno) else {
            throw SystemFailure("remove the folder", path)
        }
        return false
    }

    /// Removes the folder and the files in it, if it is there; it has no folders in it.
    static func removeWithFiles(_ path: String) throws(SystemFailure) {
        for entry in try entries(of: path) ?? [] {
            try remove(path + "/" + entry.name)
        }
        try removeIfEmpty(path)
    }

    /// The names in the folder, in no order, or nil if there is no such folder.
    ///
    /// Names that are not UTF-8 are passed over: nothing here wrote them.
    static func entries(of path: String) throws(SystemFailure) -> [Entry]? {
        guard let folder = opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw SystemFailure("list", path)
        }
        defer { closedir(folder) }
        var entries: [Entry] = []
        while true {
            errno = 0
            guard let found = readdir(folder) else {
                guard errno == 0 else { throw SystemFailure("list", path) }
                return entries
            }
            guard let name = name(of: found), name != ".", name != ".." else { continue }
            switch Int(found.pointee.d_type) {
            case Int(DT_REG):
                entries.append(Entry(name: name, isFolder: false))
            case Int(DT_DIR):
                entries.append(Entry(name: name, isFolder: true))
            default:
                // A link, or a file system that does not say.
                guard let status = try FileStatus.ifPresent(path + "/" + name) else { continue }
                if status.isFolder || status.isRegular {
                    entries.append(Entry(name: name, isFolder: status.isFolder))
                }
            }
        }
    }

    private static func name(of entry: UnsafeMutablePointer<dirent>) -> String? {
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
        let start = UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self)
        return String(validatingCString: start)
    }

    static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }
}
