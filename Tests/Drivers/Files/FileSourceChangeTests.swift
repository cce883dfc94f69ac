// What the file source says when a file is not, or no longer, what it should be.
import Glibc
import SluiceCore
import Testing

@testable import FilesDriver

@Suite("files that change under a source")
struct FileSourceChangeTests {
    private static let text = String(repeating: "{\"_id\":1}\n", count: 100)

    private func error(of body: () async throws -> Void) async -> SourceError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? SourceError
        }
    }

    @Test("a file that grows, shrinks, is written to, is replaced or goes away between two pages ends the job by name")
    func betweenPages() async throws {
        let folder = try TestFolder()
        let path = folder.path("docs.jsonl")
        let changes: [(String, (String) throws -> Void)] = [
            (
                "docs.jsonl was 1000 bytes when the job was created and is 1005 now",
                { _ in
                    try folder.write(Self.text + "more\n", as: "docs.jsonl")
                }
            ),
            (
                "docs.jsonl was 1000 bytes when the job was created and is 990 now",
                { path in
                    try OpenFile(path, O_RDWR).truncate(to: 990)
                }
            ),
            (
                "docs.jsonl has been written to since the job was created",
                { path in
                    var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
                    #expect(utimensat(AT_FDCWD, path, &times, 0) == 0)
                }
            ),
            (
                "docs.jsonl is another file than when the job was created",
                { path in
                    try folder.write(Self.text, as: "other")
                    try Folder.rename(folder.path("other"), to: path)
                }
            ),
            (
                "docs.jsonl was there when the job was created and is gone",
                { path in
                    try Folder.remove(path)
                }
            ),
        ]
        for (message, change) in changes {
            try folder.write(Self.text, as: "docs.jsonl")
            let source = FileSource(path: path, blockBytes: 64)
            let fingerprint = try await source.describe().fingerprint
            var page = SourcePage()
            var request = PageRequest(slice: 0, slices: 1, continuation: nil, recordsWanted: 5)
            try await source.fetch(request, into: &page)
            request.continuation = page.next
            try change(path)

            let read = await error { try await source.fetch(request, into: &page) }
            guard case .changed(let reason) = read else {
                Issue.record("\(message): \(String(describing: read))")
                continue
            }
            #expect(
                reason.hasPrefix(message) && reason.hasSuffix("create a new job for what is there now"),
                "\(reason)"
            )

            // A later launch knows the fingerprint only.
            let later = FileSource(path: path, expecting: fingerprint)
            let described = await error { _ = try await later.describe() }
            if access(path, F_OK) == 0 {
                #expect(described == read)
            } else {
                #expect(described?.description.contains("No such file") == true)
            }
        }
    }

    @Test("the fingerprint is the same for the same files, and stays short for many")
    func fingerprint() async throws {
        let folder = try TestFolder()
        for number in 0..<200 { try folder.write("x\n", as: "part-\(number).jsonl") }
        let first = try await FileSource(path: folder.path).describe()
        #expect(try await FileSource(path: folder.path, expecting: first.fingerprint).describe() == first)
        #expect(first.bytes == 400 && first.fingerprint.utf8.count < 100)
        try folder.write("y\n", as: "part-7000.jsonl")
        let changed = await error {
            _ = try await FileSource(path: folder.path, expecting: first.fingerprint).describe()
        }
        guard case .changed = changed else {
            Issue.record("another file is a change: \(String(describing: changed))")
            return
        }
    }

    @Test("what is missing, no file, or holds no records stops the job with the path")
    func missing() async throws {
        let folder = try TestFolder()
        try Folder.make(folder.path("empty"))
        try folder.write("", as: "hollow.jsonl.gz")
        for (path, reason) in [
            (folder.path("absent.jsonl"), "No such file"),
            (folder.path("empty"), "holds no file"),
            (folder.path("hollow.jsonl.gz"), "is empty"),
            ("/dev/null", "cannot read records from /dev/null"),
        ] {
            let found = await error { _ = try await FileSource(path: path).describe() }
            guard case .stopped(let message) = found else {
                Issue.record("\(path): \(String(describing: found))")
                continue
            }
            #expect(message.contains(path) && message.contains(reason), "\(message)")
        }
    }

    @Test("a file that may not be read stops the job", .enabled(if: !isRoot, "root may read everything"))
    func unreadable() async throws {
        let folder = try TestFolder()
        let path = try folder.write(Self.text, as: "docs.jsonl")
        #expect(chmod(path, 0) == 0)
        let found = await error { _ = try await FileSource(path: path).describe() }
        #expect(found?.description.contains("Permission denied; give this user the permission") == true)
    }

    @Test("a continuation of another source is refused by name", arguments: ["", "1", "1:0", "0:-1", "a:b", "0:1:2"])
    func foreignContinuation(text: String) async throws {
        let folder = try TestFolder()
        let path = try folder.write(Self.text, as: "docs.jsonl")
        var page = SourcePage()
        let found = await error {
            let request = PageRequest(slice: 0, slices: 1, continuation: Continuation(text))
            try await FileSource(path: path).fetch(request, into: &page)
        }
        #expect(found?.description.contains("\"\(text)\" is none of this source") == true)
    }
}
