// Filling one page: blocks of a file in, lines out, without moving a byte that is once in the buffer.
import SluiceCore

/// The work on one page of one slice.
struct PageFill {
    /// Of a record over the limit only so many bytes are given.
    static let refusedBytesKept = 64 << 10
    /// How much is read at once where only the rest of the slice's last line is wanted.
    private static let lastLineBlockBytes = 64 << 10

    enum End { case page, file }

    let catalog: FileCatalog
    let request: PageRequest
    let share: Range<Int64>
    let blockBytes: Int

    /// The page's buffer: lines up to `cursor` are dealt with, bytes up to `filled` are read.
    private(set) var bytes: [UInt8]
    private(set) var records: [SourcePage.RawRecord]
    private var cursor = 0
    private var filled = 0
    /// No newline lies between `cursor` and here.
    private var scanned = 0
    /// Where the line at `cursor` begins.
    private(set) var position: FilePosition
    private(set) var open: OpenReader?

    init(
        catalog: FileCatalog,
        request: PageRequest,
        share: Range<Int64>,
        blockBytes: Int,
        page: consuming SourcePage,
        position: FilePosition,
        open: OpenReader?
    ) {
        self.catalog = catalog
        self.request = request
        self.share = share
        self.blockBytes = blockBytes
        self.position = position
        self.open = open
        records = page.records
        bytes = page.bytes
        page = SourcePage()
        records.removeAll(keepingCapacity: true)
    }

    /// Fills the page from its position on; says whether more may follow in the slice.
    mutating func run() throws(SourceError) -> Bool {
        while position.file < catalog.files.count, catalog.files[position.file].base < share.upperBound {
            if try takeFromFile() == .page {
                try takeBackRest()
                return !isSliceOver
            }
            if isSliceOver { return false }
            position = FilePosition(file: position.file + 1, offset: 0)
        }
        return false
    }

    /// Puts buffer and records into the page.
    consuming func give(to page: inout SourcePage) {
        page.bytes = bytes
        page.records = records
    }

    /// How much of the share has been read, as it lies on disk.
    var bytesRead: Int64 {
        let base = position.file < catalog.files.count ? catalog.files[position.file].base : catalog.bytes
        let inFile = open.map { $0.file == position.file ? $0.reader.bytesOnDisk(upTo: position.offset) : 0 } ?? 0
        return min(max(0, base + inFile - share.lowerBound), Int64(share.count))
    }

    private var file: FileCatalog.File { catalog.files[position.file] }

    /// Lines that begin here or later are another slice's; a gzip file is one slice's to its end.
    private var limit: Int64 {
        file.isGzip ? .max : min(file.status.bytes, share.upperBound - file.base)
    }

    private var isSliceOver: Bool {
        !file.isGzip && file.base + position.offset >= share.upperBound
    }

    private mutating func takeFromFile() throws(SourceError) -> End {
        let limit = limit
        var isAtEnd = false
        while position.offset < limit {
            if takeLines(limit: limit) { return .page }
            guard position.offset < limit else { break }
            // The line that begins here does not fit this page any more.
            if cursor > 0, filled > request.bytesWanted { return .page }
            if isAtEnd {
                takeLastLine()
                if records.count >= request.recordsWanted { return .page }
                break
            }
            if cursor == 0, filled > request.recordBytesMax {
                try passOverLine()
                return .page
            }
            isAtEnd = try readBlock(limit: limit) == 0
        }
        return .file
    }

    /// Takes the lines that are there with their newlines; true if the page is full.
    private mutating func takeLines(limit: Int64) -> Bool {
        // Not a copy: nothing is written to the buffer while lines are taken.
        let bytes = bytes
        return bytes.withUnsafeBytes { buffer in
            let read = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            while position.offset < limit, let end = Newlines.first(in: read, from: scanned) {
                if cursor > 0, end > request.bytesWanted { return true }
                append(cursor..<end, in: buffer)
                position.offset += Int64(end + 1 - cursor)
                cursor = end + 1
                scanned = cursor
                if records.count >= request.recordsWanted { return true }
            }
            scanned = max(scanned, filled)
            return false
        }
    }

    /// Takes the bytes after the file's last newline.
    private mutating func takeLastLine() {
        let bytes = bytes
        bytes.withUnsafeBytes { append(cursor..<filled, in: $0) }
        position.offset += Int64(filled - cursor)
        cursor = filled
        scanned = filled
    }

    /// Makes a record of a line, unless it is blank; `count` is its length where its bytes are cut short.
    private mutating func append(_ line: Range<Int>, in buffer: UnsafeRawBufferPointer, count: Int? = nil) {
        var start = line.lowerBound
        var end = line.upperBound
        if position.offset == 0, end - start >= 3, buffer[start] == 0xEF, buffer[start + 1] == 0xBB,
            buffer[start + 2] == 0xBF
        {
            start += 3
        }
        if end > start, buffer[end - 1] == UInt8(ascii: "\r"), count == nil { end -= 1 }
        if count == nil, isBlank(buffer[start..<end]) { return }

        var record = SourcePage.RawRecord(
            range: start..<end,
            position: FilePosition(file: position.file, offset: position.offset + Int64(start - cursor)).number
        )
        let length = count.map { $0 - (start - line.lowerBound) } ?? (end - start)
        if length > request.recordBytesMax {
            record.refusal =
                "the record has \(length) bytes, more than record.bytes.max allows, which is \(request.recordBytesMax)"
            record.range = start..<min(end, start + Self.refusedBytesKept)
        }
        records.append(record)
    }

    private func isBlank(_ line: Slice<UnsafeRawBufferPointer>) -> Bool {
        // A record begins with something else, so this ends at its first byte.
        line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: "\r") }
    }
}

extension PageFill {
    /// Reads on behind what is there; gives how many bytes came, 0 at the file's end.
    private mutating func readBlock(limit: Int64) throws(SourceError) -> Int {
        let next = position.offset + Int64(filled - cursor)
        let wanted =
            next < limit ? Int(min(Int64(blockBytes), limit - next)) : min(blockBytes, Self.lastLineBlockBytes)
        let count = try read(wanted, to: filled, at: next)
        filled += count
        return count
    }

    private mutating func read(_ wanted: Int, to place: Int, at offset: Int64) throws(SourceError) -> Int {
        let reader = try reader()
        let missing = place + wanted + SourcePage.padding - bytes.count
        if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
        var span = bytes.mutableSpan
        return try span.withUnsafeMutableBytes { buffer throws(SourceError) in
            try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[place..<place + wanted]), at: offset)
        }
    }

    private mutating func reader() throws(SourceError) -> any FileReader {
        if let open, open.file == position.file { return open.reader }
        open = nil
        let opened = try OpenReader(file: position.file, in: catalog)
        open = opened
        return opened.reader
    }

    /// Gives the reader back what lies behind the last line of the page.
    private mutating func takeBackRest() throws(SourceError) {
        guard cursor < filled else { return }
        let reader = try reader()
        bytes.withUnsafeBytes { buffer in
            reader.takeBack(UnsafeRawBufferPointer(rebasing: buffer[cursor..<filled]), at: position.offset)
        }
    }

    /// Takes the line at the buffer's beginning as refused: keeps its first bytes and reads on to its end.
    private mutating func passOverLine() throws(SourceError) {
        let kept = min(filled, Self.refusedBytesKept)
        var next = position.offset + Int64(filled)
        var last = bytes[filled - 1]
        while true {
            let count = try read(blockBytes, to: kept, at: next)
            let newline = bytes.withUnsafeBytes { buffer in
                Newlines.first(in: UnsafeRawBufferPointer(rebasing: buffer[..<(kept + count)]), from: kept)
            }
            guard count > 0, newline == nil else {
                let rest = newline.map { $0 + 1..<kept + count } ?? kept..<kept
                if let newline, newline > kept { last = bytes[newline - 1] }
                let end = next + Int64(newline.map { $0 - kept } ?? 0)
                let length = Int(end - position.offset) - (last == UInt8(ascii: "\r") ? 1 : 0)
                let bytes = bytes
                bytes.withUnsafeBytes { append(0..<kept, in: $0, count: length) }
                position.offset = end + (newline == nil ? 0 : 1)
                (cursor, scanned, filled) = (rest.lowerBound, rest.lowerBound, rest.upperBound)
                return
            }
            last = bytes[kept + count - 1]
            next += Int64(count)
        }
    }
}

/// A file of the catalog that a slice has open.
struct OpenReader {
    let file: Int
    let reader: any FileReader

    init(file number: Int, in catalog: FileCatalog) throws(SourceError) {
        file = number
        let file = catalog.files[number]
        reader = file.isGzip ? try GzipFileReader(file) : try PlainFileReader(file)
    }
}
