// What URLs mean, and which are refused.
import Logging
import SluiceAssembly
import SluiceCore
import SluiceTestKit
import Testing

@Suite("Sources and sinks by URL")
struct URLPartsTests {
    private let parts = URLParts(
        owner: OwnerID("me"),
        settings: Settings(folders: UserFolders(environment: [:])),
        logger: Logger(label: "parts")
    )

    private func job(source: String = "file:///in.jsonl", sink: String = "noop:") -> Job {
        let now = Timestamp(milliseconds: 0)
        let id = JobID(now: now, random: SeededRandomSource(seed: 1))
        return Job(
            key: JobKey(systemAccountID: "local", indexName: "i", id: id),
            reindexType: .post,
            concurrency: 1,
            source: source,
            sink: sink,
            sourceDescription: SourceDescription(fingerprint: ""),
            now: now
        )
    }

    @Test(
        "URLs that name no sink are refused, and the message says what would",
        arguments: [
            ("out.jsonl", "begins with file:, noop:"), ("s3://bucket/x", "unknown scheme s3:; known are file:, noop:"),
            ("file://user:pass@host/x", "user-info"), ("noop:somewhere", "write noop:"),
            ("file:relative", "not absolute"),
        ]
    )
    func wrongSinks(url: String, says: String) {
        do {
            _ = try parts.sink(for: job(sink: url))
            Issue.record("accepted")
        } catch {
            guard case .field("sink", let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(problem.contains(says), "\(problem)")
            #expect(!problem.contains("pass"))
        }
    }

    @Test("nothing can be read from noop")
    func noSource() {
        #expect(throws: JobError.self) { try parts.source(for: job(source: "noop:")) }
    }

    @Test("one file is one destination, however it is spelt; noop is none")
    func destinations() {
        let spellings = ["file:///a/b.jsonl", "file:/a//b.jsonl", "FILE:///a/./b.jsonl", "file:///a/c/../b.jsonl"]
        #expect(Set(spellings.map { parts.destination(of: job(sink: $0)) }) == ["file:/a/b.jsonl"])
        #expect(parts.destination(of: job()) == nil)
    }
}
