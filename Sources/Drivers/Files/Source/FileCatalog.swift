// Which files a source is made of, how they looked when they were found, and which bytes of them are whose.
import Glibc
import SluiceCore

/// The files of a source in order, as if they were one: each has its place in the concatenation of all of them.
struct FileCatalog: Sendable {
    struct File: Sendable, Hashable {
        let path: String
        let status: FileStatus
        /// Where the file begins in the concatenation of all files, as they lie on disk.
        let base: Int64

        var name: String { Folder.name(of: path) }
        var isGzip: Bool { name.hasSuffix(".gz") }
        var end: Int64 { base + status.bytes }

        /// Such as `docs.jsonl;123;1700000000000000000;42`: name, bytes, time of modification, inode.
        var fingerprint: String { "\(name);\(status.bytes);\(status.modified);\(status.inode)" }
    }

    /// A fingerprint names each of so many files; of more, only what they sum up to, so that it stays short.
    private static let namedFilesMax = 4
    private static let endings = [".jsonl", ".ndjson", ".json", ".gz"]

    let files: [File]

    var bytes: Int64 { files.last?.end ?? 0 }

    /// Looks at a file, or at the files of a folder.
    init(path: String) throws(SourceError) {
        do throws(SystemFailure) {
            let isFolder = try FileStatus(of: path).isFolder
            var base: Int64 = 0
            var files: [File] = []
            for path in isFolder ? try Self.names(in: path).map({ path + "/" + $0 }) : [path] {
                let file = File(path: path, status: try FileStatus(of: path), base: base)
                try Self.check(file)
                files.append(file)
                base = file.end
            }
            self.files = files
        } catch {
            throw error.sourceError
        }
        if let hollow = files.first(where: { $0.isGzip && $0.status.bytes == 0 }) {
            throw .stopped("\(hollow.path) is empty, which a gzip file never is: write it again, or remove it")
        }
        guard !files.isEmpty else {
            throw .stopped("\(path) holds no file that ends in \(Self.endings.joined(separator: ", ")); put them there")
        }
    }

    private static func names(in folder: String) throws(SystemFailure) -> [String] {
        guard let entries = try Folder.entries(of: folder) else { throw SystemFailure("list", folder, number: ENOENT) }
        return entries.filter { !$0.isFolder && isRecords($0.name) }.map(\.name)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Whether a file of this name in a folder would be read as records.
    static func isRecords(_ name: String) -> Bool {
        !name.hasPrefix(".") && endings.contains { name.hasSuffix($0) }
    }

    private static func check(_ file: File) throws(SystemFailure) {
        guard file.status.isRegular else { throw SystemFailure("read records from", file.path, number: EINVAL) }
        guard access(file.path, R_OK) == 0 else { throw SystemFailure("read", file.path) }
    }

    /// Every file by name, or the sum of very many: another value means that continuations are worthless.
    var fingerprint: String {
        guard files.count > Self.namedFilesMax else { return files.map(\.fingerprint).joined(separator: "|") }
        var digest = Digest()
        for file in files { digest.add(file.fingerprint) }
        return "\(files.count) files;\(bytes);\(digest.text)"
    }

    /// What has become of the files since they had that other fingerprint; nil if nothing has.
    func difference(from fingerprint: String) -> String? {
        if fingerprint == self.fingerprint { return nil }
        let before = fingerprint.split(separator: "|").map { $0.split(separator: ";").map(String.init) }
        let now = files.map { $0.fingerprint.split(separator: ";").map(String.init) }
        for (old, new) in zip(before, now) where old != new && old.count == 4 && old.count == new.count {
            guard old[0] == new[0] else { break }
            return FileChange.text(
                name: old[0],
                wasBytes: old[1],
                isBytes: new[1],
                replaced: old[3] != new[3]
            )
        }
        return "the files are not those that the job was created for (\(fingerprint), and now \(self.fingerprint)); "
            + FileChange.fix
    }

    /// The bytes of the concatenation that are a slice's own.
    ///
    /// An even part, but that a gzip file is its owner's alone: a border within one moves to its end.
    func share(of slice: Int, in slices: Int) -> Range<Int64> {
        let start = border(slice, slices)
        return start..<max(start, border(slice + 1, slices))
    }

    private func border(_ number: Int, _ slices: Int) -> Int64 {
        let product = bytes.multipliedFullWidth(by: Int64(number))
        let even = Int64(slices).dividingFullWidth(product).quotient
        guard let file = files.first(where: { $0.base < even && even < $0.end }), file.isGzip else { return even }
        return file.end
    }

    /// The first file that ends after this byte of the concatenation.
    func index(at offset: Int64) -> Int {
        files.firstIndex { $0.end > offset } ?? files.count
    }
}

/// What is said of a file that is no longer the one a job was created for.
enum FileChange {
    static let fix = "create a new job for what is there now"

    static func text(name: String, wasBytes: String, isBytes: String, replaced: Bool) -> String {
        let change =
            if wasBytes != isBytes {
                "was \(wasBytes) bytes when the job was created and is \(isBytes) now"
            } else if replaced {
                "is another file than when the job was created"
            } else {
                "has been written to since the job was created"
            }
        return "\(name) \(change); \(fix)"
    }

    /// Looks whether the file is still as it was.
    static func check(_ file: FileCatalog.File) throws(SourceError) {
        let now: FileStatus?
        do throws(SystemFailure) {
            now = try FileStatus.ifPresent(file.path)
        } catch {
            throw error.sourceError
        }
        guard let now else {
            throw .changed("\(file.name) was there when the job was created and is gone; \(fix)")
        }
        guard now != file.status else { return }
        throw .changed(
            text(
                name: file.name,
                wasBytes: "\(file.status.bytes)",
                isBytes: "\(now.bytes)",
                replaced: now.inode != file.status.inode || now.device != file.status.device
            )
        )
    }
}

/// A sum over text that two lists of files do not share by chance (FNV-1a, twice).
private struct Digest {
    private var high: UInt64 = 0xCBF2_9CE4_8422_2325
    private var low: UInt64 = 0x9AE1_6A3B_2F90_404F

    mutating func add(_ text: String) {
        for byte in text.utf8 {
            high = (high ^ UInt64(byte)) &* 0x100_0000_01B3
            low = (low &+ UInt64(byte)) &* 0x9DDF_EA08_EB38_2D69
            low ^= low >> 29
        }
        high = (high ^ 0xFF) &* 0x100_0000_01B3
        low = (low ^ 0xFF) &* 0x9DDF_EA08_EB38_2D69
    }

    var text: String { String(high, radix: 16) + String(low, radix: 16) }
}
