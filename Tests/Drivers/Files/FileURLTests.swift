// File URLs: what is understood, and what is refused with which advice.
import SluiceCore
import Testing

@testable import FilesDriver

@Suite("file URLs")
struct FileURLTests {
    @Test(
        "a file URL names an absolute path",
        arguments: [
            ("file:///data/docs.jsonl", "/data/docs.jsonl"),
            ("FILE:///data/docs.jsonl", "/data/docs.jsonl"),
            ("file://localhost/data/docs.jsonl", "/data/docs.jsonl"),
            ("file:/data/docs.jsonl", "/data/docs.jsonl"),
            ("file:///data/a%20b%25c%3F.jsonl", "/data/a b%c?.jsonl"),
            ("file:///data/caf%C3%A9", "/data/café"),
            ("file:///data/café", "/data/café"),
            ("file:///data/folder//", "/data/folder"),
            ("file:///", "/"),
        ]
    )
    func understood(url: String, path: String) throws {
        #expect(try FileURL.path(from: url, field: "source") == path)
    }

    @Test(
        "what is not plainly a local file is refused by field and reason",
        arguments: [
            ("/data/docs.jsonl", "is not a file URL"),
            ("https://host/docs.jsonl", "is not a file URL"),
            ("file", "is not a file URL"),
            ("file:docs.jsonl", "is not absolute"),
            ("file://", "is not absolute"),
            ("file://server/docs.jsonl", "names the host \"server\""),
            ("file://me:secret@localhost/docs.jsonl", "holds user-info"),
            ("file:///docs.jsonl?x=1", "write it as %3F"),
            ("file:///docs.jsonl#x", "write it as %23"),
            ("file:///100%.jsonl", "is not properly escaped"),
            ("file:///a%00b", "is not properly escaped"),
            ("file:///a%FFb", "is not properly escaped"),
        ]
    )
    func refused(url: String, reason: String) {
        let error = #expect(throws: JobError.self) { try FileURL.path(from: url, field: "source") }
        #expect(error?.description.hasPrefix("source: ") == true)
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
}
