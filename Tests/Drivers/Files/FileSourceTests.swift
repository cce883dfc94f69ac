// The file source on plain files: slices part the lines exactly, and a page can be resumed anywhere.
import SluiceCore
import Testing

@testable import FilesDriver

@Suite("the file source")
struct FileSourceTests {
    /// Files that are awkward to cut, each for another reason.
    static let awkward: [[String]] = [
        [""],
        ["\n"],
        ["\n\n\r\n \t\n"],
        ["{\"_id\":1}"],
        ["{\"_id\":1}\n"],
        ["{\"_id\":1}\r\n{\"_id\":2}\r\n"],
        ["\u{FEFF}{\"_id\":1}\n{\"_id\":2}"],
        ["\u{FEFF}\n\u{FEFF}\n"],
        ["\n\n{\"_id\":1}\n\n\n{\"_id\":2}\n\n"],
        [String(repeating: "x", count: 300) + "\na\nb\n" + String(repeating: "y", count: 200)],
        (0..<5).map { _ in (0..<40).map { "{\"_id\":\($0)}" }.joined(separator: "\n") },
        ["", "a", "", "", "b\n", "\n", "c\r\n\r\nd", ""],
        [String(repeating: "a\n", count: 100), "\u{FEFF}b\n", String(repeating: "z", count: 150)],
    ]

    @Test("slices part the lines of awkward files exactly, for every number of slices", arguments: awkward.indices)
    func partition(index: Int) async throws {
        let folder = try TestFolder()
        let files = Self.awkward[index].map { Array($0.utf8) }
        for (number, bytes) in files.enumerated() { try folder.write(bytes, as: "part-\(100 + number).jsonl") }
        let expected = expectedRecords(in: files)
        for slices in 1...17 {
            for isResumed in [false, true] {
                let reading = Reading(slices: slices, recordsWanted: 3, bytesWanted: 64, isResumed: isResumed)
                let found = try await reading.all { FileSource(path: folder.path, blockBytes: 16) }
                #expect(found == expected, "\(slices) slices, resumed: \(isResumed)")
            }
        }
    }

    @Test("pages of any size over random files bring every line once and in order", arguments: 0..<60)
    func property(seed: UInt64) async throws {
        let random = SeededRandomSource(seed: seed)
        func upTo(_ limit: Int) -> Int { Int(random.next() % UInt64(limit)) }
        let folder = try TestFolder()
        var files: [[UInt8]] = []
        for number in 0...upTo(4) {
            var text = upTo(3) == 0 ? "\u{FEFF}" : ""
            for line in 0..<upTo(60) {
                switch upTo(6) {
                case 0: break
                case 1: text += "  \t"
                case 2: text += String(repeating: "long \(line) ", count: 1 + upTo(60))
                default: text += "{\"_id\":\"\(seed)-\(number)-\(line)\"}"
                }
                text += upTo(2) == 0 ? "\r\n" : "\n"
            }
            if upTo(2) == 0 { text += "the last line" }
            files.append(Array(text.utf8))
            try folder.write(files[number], as: "\(number).ndjson")
        }
        let reading = Reading(
            slices: 1 + upTo(17),
            recordsWanted: 1 + upTo(20),
            bytesWanted: 1 + upTo(2000),
            isResumed: upTo(2) == 0
        )
        let blockBytes = 1 + upTo(700)
        let found = try await reading.all { FileSource(path: folder.path, blockBytes: blockBytes) }
        #expect(found == expectedRecords(in: files))
    }

    @Test("only files of records in the folder are read, in the order of their names")
    func folderOrder() async throws {
        let folder = try TestFolder()
        try folder.write("b\n", as: "b.json")
        try folder.write("a\n", as: "a.ndjson")
        try folder.write("B\n", as: "B.jsonl")
        try folder.write("no\n", as: "README.md")
        try folder.write("no\n", as: ".hidden.jsonl")
        try Folder.make(folder.path("c.jsonl"))
        let found = try await Reading().all { FileSource(path: folder.path) }
        #expect(found.map(\.text) == ["B", "a", "b"])
    }

    @Test("a page ends before it has more bytes than wanted, but a record alone may")
    func pageBytes() async throws {
        let folder = try TestFolder()
        let path = try folder.write("aaaa\nbbbb\n" + String(repeating: "c", count: 50) + "\ndddd\n", as: "docs.jsonl")
        let source = FileSource(path: path, blockBytes: 8)
        var page = SourcePage()
        var sizes: [[Int]] = []
        var continuation: Continuation?
        repeat {
            let request = PageRequest(slice: 0, slices: 1, continuation: continuation, bytesWanted: 10)
            try await source.fetch(request, into: &page)
            sizes.append(page.records.map(\.range.count))
            continuation = page.next
        } while continuation != nil
        #expect(sizes == [[4, 4], [50], [4]])
        #expect(page.bytesRead == 66)
    }

    @Test(
        "a record over the limit is brought as refused with its first bytes, and what follows is read",
        arguments: [100, 1 << 20]
    )
    func oversized(limit: Int) async throws {
        let folder = try TestFolder()
        let long = "{\"_id\":\"" + String(repeating: "x", count: 3 << 20) + "\"}"
        let path = try folder.write("before\n\(long)\r\nafter\n\(long)", as: "docs.jsonl")
        for isResumed in [false, true] {
            let reading = Reading(recordBytesMax: limit, isResumed: isResumed)
            let found = try await reading.all { FileSource(path: path) }
            #expect(found.map(\.text) == ["before", String(long.prefix(65536)), "after", String(long.prefix(65536))])
            let refusal =
                "the record has \(long.utf8.count) bytes, more than record.bytes.max allows, which is \(limit)"
            #expect(found.map(\.refusal) == [nil, refusal, nil, refusal])
            #expect(found[1].position == 7)
        }
    }

    @Test("a line of 50 MB is passed over without being held in memory")
    func huge() async throws {
        let folder = try TestFolder()
        var bytes = Array("first\n".utf8)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "x"), count: 50 << 20))
        bytes.append(contentsOf: "\nlast\n".utf8)
        let path = try folder.write(bytes, as: "docs.jsonl")
        let source = FileSource(path: path)
        var page = SourcePage()
        var texts: [Int] = []
        var continuation: Continuation?
        repeat {
            let request = PageRequest(slice: 0, slices: 1, continuation: continuation, recordBytesMax: 1 << 20)
            try await source.fetch(request, into: &page)
            texts += page.records.map(\.range.count)
            #expect(page.bytes.count < 8 << 20)
            continuation = page.next
        } while continuation != nil
        #expect(texts == [5, 65536, 4])
    }

    @Test("an empty file has no records and is finished at once")
    func empty() async throws {
        let folder = try TestFolder()
        let path = try folder.write("", as: "docs.jsonl")
        let source = FileSource(path: path)
        #expect(try await source.describe().bytes == 0)
        var page = SourcePage()
        for slice in 0..<4 {
            try await source.fetch(PageRequest(slice: slice, slices: 4, continuation: nil), into: &page)
            #expect(page.records.isEmpty && page.next == nil)
        }
    }

    @Test("the slices' bytes add up to what the source describes")
    func progress() async throws {
        let folder = try TestFolder()
        try folder.write(String(repeating: "{\"_id\":1}\n", count: 1000), as: "a.jsonl")
        try folder.write(try gzipped(Array(String(repeating: "{\"_id\":2}\n", count: 1000).utf8)), as: "b.jsonl.gz")
        try folder.write(String(repeating: "{\"_id\":3}\n", count: 777), as: "c.jsonl")
        let source = FileSource(path: folder.path)
        var sum: Int64 = 0
        var records = 0
        for slice in 0..<5 {
            var page = SourcePage()
            var continuation: Continuation?
            repeat {
                try await source.fetch(PageRequest(slice: slice, slices: 5, continuation: continuation), into: &page)
                records += page.records.count
                continuation = page.next
            } while continuation != nil
            sum += page.bytesRead ?? 0
        }
        #expect(records == 2777)
        #expect(try await source.describe().bytes == sum)
    }

    @Test("a record is located by line and byte")
    func locate() async throws {
        let folder = try TestFolder()
        try folder.write("one\n\ntwo\n", as: "a.jsonl")
        try folder.write(try gzipped(Array("three\nfour\n".utf8)), as: "b.jsonl.gz")
        let found = try await Reading().all { FileSource(path: folder.path) }
        let source = FileSource(path: folder.path)
        #expect(
            await source.locate(found.map(\.position)) == [
                "line 1, byte 0 of a.jsonl", "line 3, byte 5 of a.jsonl",
                "line 1, byte 0 of b.jsonl.gz (unpacked)", "line 2, byte 6 of b.jsonl.gz (unpacked)",
            ]
        )
        #expect(await source.locate([7 << 44 + 3])[0]?.hasPrefix("byte 3 of file 8 of ") == true)
    }

    @Test("is located wherever others were before it, and with as many others as there are")
    func locateAnywhere() async throws {
        let folder = try TestFolder()
        let lines = (0..<5000).map { String(repeating: "x", count: $0 % 7) + "\n" }
        try folder.write(lines.joined(), as: "a.jsonl")
        let starts = lines.indices.map { line in lines[..<line].reduce(0) { $0 + $1.utf8.count } }
        let source = FileSource(path: folder.path, blockBytes: 100)
        func expected(_ line: Int) -> String { "line \(line + 1), byte \(starts[line]) of a.jsonl" }
        for line in [4000, 17, 4999, 0, 2500] {
            #expect(await source.locate([Int64(starts[line])]) == [expected(line)])
        }
        let all = Array(stride(from: 3, to: 5000, by: 11))
        #expect(await source.locate(all.map { Int64(starts[$0]) }) == all.map(expected))
    }
}
