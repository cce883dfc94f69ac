// The file source on gzip files: the same lines, and broken files by name and place.
import SluiceCore
import Synchronization
import Testing

@testable import FilesDriver

@Suite("the file source on gzip files")
struct GzipSourceTests {
    private static func lines(_ count: Int, _ name: String) -> [UInt8] {
        Array((0..<count).map { "{\"_id\":\"\(name)-\($0)\",\"n\":\($0 &* 7919 % 104_729)}\n" }.joined().utf8)
    }

    @Test("gzip files bring the same as the plain ones, for any number of slices and from every continuation")
    func sameAsPlain() async throws {
        let folder = try TestFolder()
        let files = [
            Self.lines(50, "a"),
            Array("\u{FEFF}b\r\n\r\nno newline".utf8),
            Self.lines(3, "c"),
            [],
            Self.lines(70, "d"),
        ]
        for (number, bytes) in files.enumerated() {
            let isPlain = number == 2
            try folder.write(isPlain ? bytes : try gzipped(bytes), as: "\(number).jsonl" + (isPlain ? "" : ".gz"))
        }
        let expected = expectedRecords(in: files)
        for slices in 1...17 {
            for isResumed in [false, true] {
                let reading = Reading(slices: slices, recordsWanted: 7, bytesWanted: 300, isResumed: isResumed)
                let found = try await reading.all { FileSource(path: folder.path, blockBytes: 100) }
                #expect(found == expected, "\(slices) slices, resumed: \(isResumed)")
            }
        }
    }

    @Test("several members are one content, and zeros behind the last are padding")
    func members() async throws {
        let folder = try TestFolder()
        let (first, second) = (Self.lines(5000, "a").dropLast(9), Self.lines(5000, "b"))
        let packed = try gzipped(Array(first)) + gzipped([]) + gzipped(second) + [UInt8](repeating: 0, count: 700)
        let path = try folder.write(packed, as: "docs.jsonl.gz")
        let found = try await Reading(slices: 3).all { FileSource(path: path) }
        #expect(found == expectedRecords(in: [Array(first) + second]))
    }

    @Test("a slice that goes on in order neither opens nor unpacks its file anew")
    func sequential() throws {
        let folder = try TestFolder()
        let content = Self.lines(20_000, "x")
        let path = try folder.write(try gzipped(content), as: "docs.jsonl.gz")
        let catalog = try FileCatalog(path: path)
        let slice = SliceReader()
        var page = SourcePage()
        var request = PageRequest(slice: 0, slices: 1, continuation: nil, recordsWanted: 10)
        var readers: Set<ObjectIdentifier> = []
        var count = 0
        repeat {
            try slice.fetch(request, of: catalog, blockBytes: 4096, into: &page)
            count += page.records.count
            request.continuation = page.next
            slice.open.withLock { open in
                guard let open else { return }
                readers.insert(ObjectIdentifier(open.reader))
                #expect((open.reader as? GzipFileReader)?.restarts == 0)
            }
        } while request.continuation != nil
        #expect(count == 20_000 && readers.count == 1)
    }

    @Test("a record over the limit in a gzip file is refused, and what follows is read")
    func oversized() async throws {
        let folder = try TestFolder()
        let long = String(repeating: "x", count: 2 << 20)
        let path = try folder.write(try gzipped(Array("a\n\(long)\nb\n".utf8)), as: "docs.jsonl.gz")
        let found = try await Reading(recordBytesMax: 1 << 20).all { FileSource(path: path) }
        #expect(found.map(\.text.utf8.count) == [1, 65536, 1])
        #expect(found[1].refusal == "the record has 2097152 bytes, more than record.bytes.max allows, which is 1048576")
    }

    enum Damage: CaseIterable { case cutInMember, cutInTrailer, checksum, garbageBehind, noGzip, middle }

    @Test("a broken gzip file stops the job with its name, the place and the fix", arguments: Damage.allCases)
    func broken(damage: Damage) async throws {
        let folder = try TestFolder()
        var packed = try gzipped(Self.lines(5000, "a"))
        switch damage {
        case .cutInMember: packed.removeLast(packed.count / 2)
        case .cutInTrailer: packed.removeLast(3)
        case .checksum: packed[packed.count - 6] ^= 1
        case .garbageBehind: packed += Array("garbage behind the last member".utf8)
        case .noGzip: packed = Self.lines(10, "a")
        case .middle: for index in packed.count / 2..<packed.count / 2 + 40 { packed[index] ^= 0xA5 }
        }
        let path = try folder.write(packed, as: "docs.jsonl.gz")
        await #expect {
            _ = try await Reading().all { FileSource(path: path) }
        } throws: { error in
            guard case .stopped(let reason)? = error as? SourceError else { return false }
            let problem = [.cutInMember, .cutInTrailer].contains(damage) ? "is cut short" : "is corrupt"
            return reason.hasPrefix("docs.jsonl.gz ") && reason.contains(problem)
                && reason.contains("of \(packed.count)") && reason.contains("create a new one")
        }
    }
}
