// Records out of files, by slices that end at lines: a place is a file of the source and an offset in it.
import SluiceCore

/// A file by its number in the catalog, and an offset in its content: for a gzip file, in what it unpacks to.
struct FilePosition: Equatable {
    /// A file's content has fewer bytes than this (16 TiB), so that file and offset fit one number.
    static let offsetBits: Int64 = 44

    var file: Int
    var offset: Int64

    /// For one file, the position is the offset.
    var number: Int64 { Int64(file) << Self.offsetBits | offset }

    var continuation: Continuation { Continuation("\(file):\(offset)") }
}

extension FilePosition {
    init(number: Int64) {
        file = Int(number >> Self.offsetBits)
        offset = number & (1 << Self.offsetBits - 1)
    }

    /// - Throws: `SourceError.changed` if the text is not a place in one of so many files.
    init(_ continuation: Continuation, files: Int) throws(SourceError) {
        let parts = continuation.text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
        guard parts.count == 2, let file = parts[0], let offset = parts[1],
            (0..<Int64(files)).contains(file), offset >= 0
        else {
            throw .changed("the continuation \"\(continuation.text)\" is none of this source; create a new job")
        }
        self.init(file: Int(file), offset: offset)
    }
}
