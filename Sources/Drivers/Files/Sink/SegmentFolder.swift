// The folder beside an output in which its job keeps segments, and the note of what it has published.
import Glibc
import SluiceCore

/// Where a job's segments lie: `out.jsonl.<job>.partial.d` beside `out.jsonl`.
struct SegmentFolder: Sendable {
    private static let ending = ".seg"
    private static let noteName = "published"

    let path: String

    init(output: String, job: JobID) {
        path = "\(output).\(job).partial.d"
    }

    /// Makes a new segment, durably named.
    func create(_ name: String) throws(SystemFailure) -> OpenFile {
        try Folder.makeAll(path)
        let file = try OpenFile(path + "/" + name, O_RDWR | O_CREAT | O_EXCL)
        try Folder.sync(path)
        // Another writer may just have made the folder, and not have come to sync its name yet.
        try Folder.sync(Folder.parent(of: path))
        return file
    }

    /// Opens a segment for reading.
    ///
    /// - Throws: `SinkError.stopped` if there is no such segment.
    func open(_ name: String) throws(SinkError) -> OpenFile {
        guard name.hasSuffix(Self.ending), !name.contains("/") else {
            throw .stopped("\"\(name)\" is not the name of a segment of \(path)")
        }
        do throws(SystemFailure) {
            return try OpenFile(path + "/" + name, O_RDONLY)
        } catch {
            throw error.sinkError
        }
    }

    /// A segment's name, which tells its writer.
    static func segmentName(owner: String, writer: String, number: Int) -> String {
        let plain = owner.utf8.prefix(100).map { byte in
            let isPlain =
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            return isPlain ? byte : UInt8(ascii: "-")
        }
        return "\(String(decoding: plain, as: UTF8.self))-\(writer)-\(pad(number, 4))\(ending)"
    }

    /// Notes, durably, that a file of this status is the job's output or is about to be.
    ///
    /// It is noted before the file gets its name, so that no crash can leave an output that is not known to be ours.
    func note(_ status: FileStatus) throws(SystemFailure) {
        try Folder.makeAll(path)
        let file = try OpenFile(path + "/" + Self.noteName, O_RDWR | O_CREAT)
        let end = try file.status().bytes
        try file.write(Array(("\n" + Self.line(of: status) + "\n").utf8), at: end)
        try file.sync()
        try Folder.sync(path)
    }

    /// Whether the file is one that the job has published.
    func isNoted(_ status: FileStatus) throws(SystemFailure) -> Bool {
        guard let size = try FileStatus.ifPresent(path + "/" + Self.noteName)?.bytes else { return false }
        let text = try OpenFile(path + "/" + Self.noteName, O_RDONLY).read(count: Int(size), at: 0)
        return String(decoding: text, as: UTF8.self).split(separator: "\n").contains(Self.line(of: status)[...])
    }

    private static func line(of status: FileStatus) -> String {
        "device \(status.device) inode \(status.inode) bytes \(status.bytes) modified \(status.modified)"
    }
}
