// Records from JSON Lines files: one file, or all of a folder.
import Glibc
package import SluiceCore
import Synchronization

/// A file or a folder as a source: one record in each line.
///
/// - Of a folder, the files that end in `.jsonl`, `.ndjson`, `.json` or `.gz` are read, in the order of their names'
///   bytes; names that begin with a dot, other files and folders in it are passed over.
/// - Blank lines and a byte order mark at a file's beginning are passed over; CRLF ends a line too; the last line needs
///   no newline. A line never goes on in the next file.
/// - Plain files are sliced by bytes; a line is the slice's in which its first byte lies. A file that ends in `.gz` is
///   one slice's, whole; resuming in its middle unpacks it again up to there.
/// - A record's position is its offset in what its file holds (or unpacks to), with the file's number in the upper bits.
/// - A file that is written to, replaced or removed while the job lives ends it with `.changed`. Records of a gzip file
///   are given out before its checksum can be known.
package final class FileSource: RecordSource {
    private struct State {
        var catalog: FileCatalog?
        var readers: [Key: SliceReader] = [:]
        var lineMarks: [Int: [LineMark]] = [:]
    }

    /// Where a line is known to begin or go on, so that the next place is not counted from the beginning.
    private struct LineMark {
        var offset: Int64
        var line: Int
    }

    private static let lineMarksMax = 512

    private struct Key: Hashable {
        let slice: Int
        let slices: Int
    }

    private let path: String
    private let expected: String?
    private let blockBytes: Int
    private let io: BlockingIO
    private let state = Mutex(State())

    /// Opens nothing yet.
    ///
    /// - Parameters:
    ///   - path: The file or folder.
    ///   - fingerprint: What `describe()` said when the job was created; if given, `describe()` and `fetch` throw
    ///     `.changed` with the file and its sizes then and now when it is another.
    ///   - blockBytes: How much is read at once.
    ///   - io: The threads on which files are read.
    package init(
        path: String,
        expecting fingerprint: String? = nil,
        blockBytes: Int = 256 << 10,
        io: BlockingIO = .shared
    ) {
        precondition(blockBytes > 0, "nothing can be read in blocks of nothing")
        self.path = path
        self.expected = fingerprint
        self.blockBytes = blockBytes
        self.io = io
    }

    /// Looks at the files anew; `bytes` is what they hold on disk, `records` is not known.
    package func describe() async throws(SourceError) -> SourceDescription {
        try await io.run { () throws(SourceError) in
            let catalog = try self.look()
            self.state.withLock { $0 = State(catalog: catalog) }
            return SourceDescription(fingerprint: catalog.fingerprint, bytes: catalog.bytes)
        }
    }

    package func fetch(_ request: PageRequest, into page: inout SourcePage) async throws(SourceError) {
        precondition(
            (0..<request.slices).contains(request.slice),
            "slice \(request.slice) of \(request.slices) does not exist"
        )
        // The buffer goes to the reading thread and comes back; it is never copied.
        let lent = Lent(exchange(&page, with: SourcePage()))
        defer { lent.page.withLock { page = exchange(&$0, with: SourcePage()) } }
        try await io.run { () throws(SourceError) in
            let (catalog, reader) = try self.reader(for: request)
            try lent.page.withLock { page throws(SourceError) in
                try reader.fetch(request, of: catalog, blockBytes: self.blockBytes, into: &page)
            }
        }
    }

    /// Such as `line 17, byte 4711 of docs.jsonl`: lines from 1 and bytes from 0, of what a gzip file unpacks to.
    ///
    /// Reads the files between the last place asked after before it and the last one asked after now.
    package func locate(_ positions: [Int64]) async -> [String?] {
        let positions = positions.map { FilePosition(number: $0) }
        return await io.run {
            var places: [String] = []
            while places.count < positions.count {
                let file = positions[places.count].file
                let inFile = positions[places.count...].prefix { $0.file == file }
                places += self.places(at: inFile.map(\.offset), in: file)
            }
            return places
        }
    }

    private func places(at offsets: [Int64], in index: Int) -> [String] {
        do throws(SourceError) {
            let catalog = try catalog()
            guard catalog.files.indices.contains(index) else {
                return offsets.map { "byte \($0) of file \(index + 1) of \(Folder.name(of: path))" }
            }
            let file = catalog.files[index]
            let lines = try lines(at: offsets, in: index, of: catalog)
            return zip(offsets, lines).map { offset, line in
                "line \(line), byte \(offset) of \(file.name)\(file.isGzip ? " (unpacked)" : "")"
            }
        } catch {
            return offsets.map { "byte \($0) of \(Folder.name(of: path)) (its line is not known: \(error))" }
        }
    }

    private func look() throws(SourceError) -> FileCatalog {
        let catalog = try FileCatalog(path: path)
        if let expected, let difference = catalog.difference(from: expected) { throw .changed(difference) }
        return catalog
    }

    private func catalog() throws(SourceError) -> FileCatalog {
        if let known = state.withLock({ $0.catalog }) { return known }
        let found = try look()
        return state.withLock { state in
            let catalog = state.catalog ?? found
            state.catalog = catalog
            return catalog
        }
    }

    private func reader(for request: PageRequest) throws(SourceError) -> (FileCatalog, SliceReader) {
        let catalog = try catalog()
        let key = Key(slice: request.slice, slices: request.slices)
        let reader = state.withLock { state in
            let reader = state.readers[key] ?? SliceReader()
            state.readers[key] = reader
            return reader
        }
        return (catalog, reader)
    }

    /// The lines of places in one file, in ascending order, counted from the nearest place known before them.
    private func lines(at offsets: [Int64], in file: Int, of catalog: FileCatalog) throws(SourceError) -> [Int] {
        let reader = try OpenReader(file: file, in: catalog).reader
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: blockBytes, alignment: 16)
        defer { scratch.deallocate() }
        var mark =
            state.withLock { state in
                (state.lineMarks[file] ?? []).filter { $0.offset <= offsets[0] }.max { $0.offset < $1.offset }
            } ?? LineMark(offset: 0, line: 1)
        var lines: [Int] = []
        for offset in offsets {
            while mark.offset < offset {
                let wanted = Int(min(Int64(scratch.count), offset - mark.offset))
                let part = UnsafeMutableRawBufferPointer(rebasing: scratch[..<wanted])
                let count = try reader.read(into: part, at: mark.offset)
                guard count > 0 else { break }
                mark.line += Newlines.count(in: UnsafeRawBufferPointer(rebasing: part[..<count]))
                mark.offset += Int64(count)
            }
            lines.append(mark.line)
        }
        let known = mark
        state.withLock { state in
            if state.lineMarks[file, default: []].count >= Self.lineMarksMax { state.lineMarks[file] = [] }
            state.lineMarks[file, default: []].append(known)
        }
        return lines
    }
}

/// A page's buffer on its way to another thread and back.
private final class Lent: Sendable {
    let page: Mutex<SourcePage>

    init(_ page: SourcePage) {
        self.page = Mutex(page)
    }
}
