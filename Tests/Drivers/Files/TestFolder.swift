// A folder for one test, with files in it that are made and mended by the test.
import CZlib
import Glibc
import Synchronization
import Testing

@testable import FilesDriver

/// A new folder below `/tmp` that goes with its owner.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        let template = "/tmp/sluice-files-XXXXXX"
        path = try template.withCString { pattern in
            let name = try #require(strdup(pattern))
            defer { free(name) }
            try #require(mkdtemp(name) != nil)
            return String(cString: name)
        }
    }

    deinit {
        Self.removeAll(path)
    }

    func path(_ name: String) -> String { path + "/" + name }

    /// Writes a file anew, in place of the one that is there.
    @discardableResult
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        let file = try OpenFile(path(name), O_RDWR | O_CREAT | O_TRUNC)
        try file.write(bytes, at: 0)
        return file.path
    }

    @discardableResult
    func write(_ text: String, as name: String) throws -> String {
        try write(Array(text.utf8), as: name)
    }

    func read(_ name: String) throws -> [UInt8] {
        let file = try OpenFile(path(name), O_RDONLY)
        return try file.read(count: Int(file.status().bytes), at: 0)
    }

    func text(_ name: String) throws -> String {
        String(decoding: try read(name), as: UTF8.self)
    }

    /// The names in the folder or one below it, sorted.
    func names(in folder: String = "") throws -> [String] {
        try #require(try Folder.entries(of: path(folder))).map(\.name).sorted()
    }

    private static func removeAll(_ path: String) {
        do {
            for entry in try Folder.entries(of: path) ?? [] {
                if entry.isFolder {
                    removeAll(path + "/" + entry.name)
                } else {
                    try Folder.remove(path + "/" + entry.name)
                }
            }
            try Folder.removeIfEmpty(path)
        } catch {
            print("left behind: \(path) (\(error))")
        }
    }
}

/// One gzip member of the bytes, as zlib makes it.
func gzipped(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    try #require(
        deflateInit2_(
            &stream,
            6,
            Z_DEFLATED,
            31,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
            == Z_OK
    )
    defer { deflateEnd(&stream) }
    var input = bytes
    return input.withUnsafeMutableBufferPointer { input in
        [UInt8](unsafeUninitializedCapacity: Int(deflateBound(&stream, UInt(input.count))) + 64) { output, count in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            deflate(&stream, Z_FINISH)
            count = output.count - Int(stream.avail_out)
        }
    }
}

/// Whether the tests run as a user for whom permissions count for nothing.
let isRoot = geteuid() == 0
