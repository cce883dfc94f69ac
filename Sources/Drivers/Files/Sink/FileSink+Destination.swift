// Whether a file can be a job's output, asked before the job is created.
import Glibc
package import SluiceCore

extension FileSink {
    /// Makes sure that an output can be written to the path.
    ///
    /// Blocks for a few system calls. What it finds may change until the job ends; then `assemble` says so.
    ///
    /// - Parameters:
    ///   - path: The output's full path.
    ///   - overwrite: Whether a file that is there may be replaced.
    ///   - source: The path of the file or folder that is read, if files are read.
    ///   - field: What the destination is called in the error.
    /// - Throws: `JobError.field`, with what to do.
    package static func checkDestination(
        _ path: String,
        overwrite: Bool,
        source: String? = nil,
        field: String = "sink"
    ) throws(JobError) {
        var found: String?
        do throws(SystemFailure) {
            found = try problem(with: path, overwrite: overwrite)
            if found == nil { found = try problem(with: path, source: source) }
        } catch {
            throw .field(field, error.description)
        }
        if let found { throw .field(field, "\(path) \(found)") }
    }

    private static func problem(with path: String, overwrite: Bool) throws(SystemFailure) -> String? {
        let name = Folder.name(of: path)
        guard path.hasPrefix("/"), !["", ".", ".."].contains(name) else {
            return "does not name a file; write a full path with the file's name"
        }
        if let present = try FileStatus.ifPresent(path, following: false) {
            if present.isFolder { return "is a folder; write the name of a file in it" }
            if present.isLink { return "is a symbolic link; write the path that it leads to" }
            guard present.isRegular else { return "is not a plain file; write the name of one" }
            guard overwrite else { return "exists; choose another name, or allow --overwrite" }
        }
        let folder = Folder.parent(of: path)
        guard let above = try FileStatus.ifPresent(folder) else {
            return "can't be made: the folder \(folder) does not exist; make it first"
        }
        guard above.isFolder else { return "can't be made: \(folder) is not a folder" }
        guard access(folder, W_OK | X_OK) == 0 else {
            return "can't be made: \(SystemFailure("write in", folder)); give this user the permission"
        }
        return nil
    }

    private static func problem(with path: String, source: String?) throws(SystemFailure) -> String? {
        guard let source, let read = try FileStatus.ifPresent(source) else { return nil }
        if read.isFolder {
            // It would be found among the files that are read.
            let folder = try FileStatus(of: Folder.parent(of: path))
            let isInside = folder.inode == read.inode && folder.device == read.device
            return isInside ? "lies in the folder that is read, \(source); choose another folder" : nil
        }
        guard let present = try FileStatus.ifPresent(path) else { return nil }
        let isSame = present.inode == read.inode && present.device == read.device
        return isSame ? "is the file that is read; choose another" : nil
    }
}
