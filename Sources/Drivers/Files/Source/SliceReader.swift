// One slice of a source, page after page, with its file kept open in between.
import SluiceCore
import Synchronization

/// Reads the pages of one slice; the next page in order neither opens nor unpacks anything anew.
final class SliceReader: Sendable {
    // Held during a page's reading, on a thread that may block: a slice has one reader at a time anyway.
    let open = Mutex<OpenReader?>(nil)

    func fetch(
        _ request: PageRequest,
        of catalog: FileCatalog,
        blockBytes: Int,
        into page: inout SourcePage
    ) throws(SourceError) {
        try open.withLock { open throws(SourceError) in
            let share = catalog.share(of: request.slice, in: request.slices)
            let kept = open
            // Whatever goes wrong, a reader in an unknown state is not used again.
            open = nil
            let start = try Self.start(of: request, share: share, in: catalog)
            var fill = PageFill(
                catalog: catalog,
                request: request,
                share: share,
                blockBytes: blockBytes,
                page: exchange(&page, with: SourcePage()),
                position: start,
                open: kept
            )
            let goesOn = try fill.run()
            // Only now is it known that what was read was there to be read.
            if !share.isEmpty {
                for file in start.file...max(start.file, min(fill.position.file, catalog.files.count - 1)) {
                    try FileChange.check(catalog.files[file])
                }
            }
            page.next = goesOn ? fill.position.continuation : nil
            page.bytesRead = goesOn ? fill.bytesRead : Int64(share.count)
            open = goesOn ? fill.open : nil
            fill.give(to: &page)
        }
    }

    /// Where the page's first line begins, or the end of the slice if it has none.
    private static func start(
        of request: PageRequest,
        share: Range<Int64>,
        in catalog: FileCatalog
    ) throws(SourceError) -> FilePosition {
        if let continuation = request.continuation {
            return try FilePosition(continuation, files: catalog.files.count)
        }
        let number = catalog.index(at: share.lowerBound)
        guard !share.isEmpty, number < catalog.files.count else {
            return FilePosition(file: catalog.files.count, offset: 0)
        }
        let file = catalog.files[number]
        guard file.base < share.lowerBound else { return FilePosition(file: number, offset: 0) }
        let limit = min(file.status.bytes, share.upperBound - file.base)
        return FilePosition(
            file: number,
            offset: try firstLine(of: file, from: share.lowerBound - file.base, limit: limit)
        )
    }

    /// The first byte from `start` on that follows a newline, or `limit` if there is none before it.
    private static func firstLine(
        of file: FileCatalog.File,
        from start: Int64,
        limit: Int64
    ) throws(SourceError) -> Int64 {
        let reader = try PlainFileReader(file)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { scratch.deallocate() }
        var offset = start - 1
        while offset < limit {
            let count = try reader.read(into: scratch, at: offset)
            guard count > 0 else { break }
            if let newline = Newlines.first(in: UnsafeRawBufferPointer(rebasing: scratch[..<count])) {
                return min(limit, offset + Int64(newline) + 1)
            }
            offset += Int64(count)
        }
        return limit
    }
}
