// Reading a source as an extractor does, and saying independently what there is to find.
import SluiceCore
import Testing

@testable import FilesDriver

/// A record as a page brings it.
struct FoundRecord: Equatable, CustomStringConvertible {
    var text: String
    var position: Int64
    var refusal: String?

    var description: String { "\(position): \(text.prefix(40))\(refusal.map { " (\($0))" } ?? "")" }
}

/// How a source is read.
struct Reading {
    var slices = 1
    var recordsWanted = 500
    var bytesWanted = 4 << 20
    var recordBytesMax = 32 << 20
    /// Whether every page is fetched by a source that has just been made.
    var isResumed = false

    /// All records, slice by slice.
    func all(_ source: () -> FileSource) async throws -> [FoundRecord] {
        var found: [FoundRecord] = []
        for slice in 0..<slices { found += try await records(of: slice, source) }
        return found
    }

    func records(of slice: Int, _ make: () -> FileSource) async throws -> [FoundRecord] {
        var source = make()
        var page = SourcePage()
        var continuation: Continuation?
        var found: [FoundRecord] = []
        var bytesRead: Int64 = 0
        repeat {
            if isResumed { source = make() }
            try await source.fetch(
                PageRequest(
                    slice: slice,
                    slices: slices,
                    continuation: continuation,
                    recordsWanted: recordsWanted,
                    bytesWanted: bytesWanted,
                    recordBytesMax: recordBytesMax
                ),
                into: &page
            )
            check(page)
            found += page.records.map { record in
                FoundRecord(
                    text: String(decoding: page.bytes[record.range], as: UTF8.self),
                    position: record.position,
                    refusal: record.refusal
                )
            }
            if let next = page.next { try #require(next != continuation, "a page must get on") }
            continuation = page.next
            let read = try #require(page.bytesRead)
            #expect(read >= bytesRead || isResumed, "what has been read does not shrink")
            bytesRead = read
        } while continuation != nil
        return found
    }

    private func check(_ page: SourcePage) {
        #expect(page.records.count <= recordsWanted)
        if let last = page.records.last {
            #expect(page.bytes.count >= last.range.upperBound + SourcePage.padding)
        }
        if page.records.count > 1 {
            #expect(page.records.reduce(0) { $0 + $1.range.count } <= bytesWanted)
        }
    }
}

/// What is in files, said in the simplest way.
func expectedRecords(in files: [[UInt8]]) -> [FoundRecord] {
    var expected: [FoundRecord] = []
    for (number, file) in files.enumerated() {
        var offset = 0
        for line in file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            var text = Array(line)
            var start = offset
            if offset == 0, text.starts(with: [0xEF, 0xBB, 0xBF]) {
                text.removeFirst(3)
                start = 3
            }
            if text.last == UInt8(ascii: "\r") { text.removeLast() }
            if text.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) {
                expected.append(
                    FoundRecord(
                        text: String(decoding: text, as: UTF8.self),
                        position: Int64(number) << 44 + Int64(start)
                    )
                )
            }
            offset += line.count + 1
        }
    }
    return expected
}
