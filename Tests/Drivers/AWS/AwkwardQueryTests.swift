// Awkward queries at servers that check signatures.
import HTTPDriver
import SluiceCore
import Testing

@testable import AWSDriver

@Suite("Awkward queries at servers that check signatures", .timeLimit(.minutes(10)))
struct AwkwardQueryTests {
    /// A query of a list, and what it gives of `keys`.
    struct Row: Sendable, CustomTestStringConvertible {
        let query: [(name: String, value: String)]
        let keys: [String]
        var folders: [String] = []
        /// Where a server reads a query otherwise, by its own name; what it gives does not matter to signatures.
        var readOtherwiseBy: Set<S3Verifier> = []

        var testDescription: String { query.map { "\($0.name)=\($0.value.prefix(20))" }.joined(separator: "&") }
    }

    private static let keys = ["a/1", "a/2", "b", "c d/e", "ü"]

    static let rows = [
        Row(query: [("prefix", ""), ("delimiter", "/")], keys: ["b", "ü"], folders: ["a/", "c d/"]),
        Row(query: [("prefix", "a/"), ("delimiter", "")], keys: ["a/1", "a/2"]),
        Row(query: [("prefix", "c d/")], keys: ["c d/e"]),
        // rclone's folders are those of its file system.
        Row(query: [("delimiter", " ")], keys: ["a/1", "a/2", "b", "ü"], folders: ["c "], readOtherwiseBy: [.rclone]),
        Row(query: [("delimiter", "%2F")], keys: keys, readOtherwiseBy: [.rclone]),
        Row(query: [("prefix", "ü")], keys: ["ü"]),
        // What is repeated is signed in the order of its values, and the first one sent counts.
        Row(query: [("prefix", "b"), ("prefix", "a/")], keys: ["a/1", "a/2"]),
        Row(query: [("prefix", ""), ("prefix", "a/")], keys: keys),
        Row(query: [("prefix", "a+b~*'()")], keys: []),
        // juicefs begins each key with as many slashes as the prefix has.
        Row(query: [("prefix", "//")], keys: [], readOtherwiseBy: [.juicefs]),
        Row(query: [("prefix", String(repeating: "ü /", count: 250))], keys: []),
        Row(query: [("x", "a=b&c"), ("x", ""), ("X", "1"), ("x-y", "~")], keys: keys),
        Row(query: [("", "")], keys: keys),
        Row(query: [("start-after", "a/1")], keys: ["a/2", "b", "c d/e", "ü"]),
    ]

    @Test("a list is asked for in awkward words", arguments: S3Verifier.allCases)
    func lists(verifier: S3Verifier) async throws {
        try await verifier.withBucket { bucket in
            for key in Self.keys { try await bucket.s3.put(HTTPBody([1]), at: key) }
            for row in Self.rows {
                let query = [(name: "list-type", value: "2"), ("encoding-type", "url")] + row.query
                let call = bucket.s3.call("ListObjectsV2", .get, query: query)
                let byHeaders = try await bucket.s3.client.send(call).body
                let byQuery = try await bucket.send(.get, bucket.s3.client.presign(call, expiry: .seconds(60)))
                for list in try [byHeaders, byQuery].map({ try XMLElement.parse($0) }) {
                    if row.readOtherwiseBy.contains(verifier) { continue }
                    let keys = list.all("Contents").compactMap { ($0["Key"]?.text).flatMap { Escaping.unescaped($0) } }
                    let folders = list.all("CommonPrefixes").compactMap { $0["Prefix"]?.text }
                    #expect(keys == row.keys, "\(row.testDescription)")
                    #expect(folders.compactMap { Escaping.unescaped($0) } == row.folders, "\(row.testDescription)")
                }
            }
        }
    }
}
