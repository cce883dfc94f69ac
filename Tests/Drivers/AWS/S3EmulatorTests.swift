// S3 beyond the port, and at full size, against the emulator.
import HTTPDriver
import SluiceCore
import Testing

@testable import AWSDriver

@Suite("S3 at the emulator", .timeLimit(.minutes(10)))
struct S3EmulatorTests {
    private func run(_ body: (S3, S3ObjectStore, Emulator.Account) async throws -> Void) async throws {
        try await Emulator.withAccount { account in
            let s3 = try S3(account.client(.s3), bucket: "bucket-\(account.key)")
            try await s3.makeBucket()
            try await s3.makeBucket()
            try await body(s3, S3ObjectStore(s3), account)
        }
    }

    /// Five parts; its period fits into none of them, so that parts in a wrong order are seen.
    private static let large: [UInt8] = {
        let block = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 11) }
        var bytes: [UInt8] = []
        while bytes.count < 41_000_000 { bytes += block }
        return bytes
    }()

    /// How many uploads are begun and not ended.
    private func uploads(_ s3: S3) async throws -> Int {
        let answer = try await s3.client.send(s3.call("ListMultipartUploads", .get, query: [("uploads", "")]))
        return try XMLElement.parse(answer.body).all("Upload").count
    }

    @Test("an object of several parts comes back byte for byte, whole and in ranges, and leaves no upload")
    func largeObjects() async throws {
        let large = Self.large
        try await run { s3, store, _ async throws in
            try await store.put(large, at: "put", onlyIfAbsent: true)
            let writer = try await store.write("written")
            for from in stride(from: 0, to: large.count, by: 3_000_000) {
                try await writer.append(Array(large[from..<min(large.count, from + 3_000_000)]))
            }
            try await writer.finish()
            for key in ["put", "written"] {
                #expect(try await store.read(key, range: nil) == large)
                let range = 8_388_600..<8_388_650
                #expect(try await store.read(key, range: range) == Array(large[range]))
            }
            let error = await #expect(throws: PortError.self) {
                try await store.put(large, at: "put", onlyIfAbsent: true)
            }
            #expect(error?.code == .conditionFailed)
            let abandoned = try await store.write("abandoned")
            try await abandoned.append(large)
            #expect(try await uploads(s3) == 1)
            await abandoned.abandon()
            #expect(try await uploads(s3) == 0)
        }
    }

    @Test("a presigned URL gives the object to whoever has it")
    func presigned() async throws {
        try await run { s3, store, account async throws in
            try await store.put(Array("hello".utf8), at: "a b/ü+", onlyIfAbsent: false)
            var presigner = try await s3.presigner(expiry: .seconds(60))
            let (reply, body) = try await account.peer.exchange(HTTPCall(.get, presigner.url("a b/ü+")), limit: 1000)
            #expect(reply.status == 200)
            #expect(body == Array("hello".utf8))
        }
    }

    @Test("the bucket's rules can be set again and again")
    func lifecycle() async throws {
        try await run { s3, store, _ async throws in
            for days in [30, 14] { try await store.setLifecycle([("payloads", "payloads/", days)]) }
            let answer = try await s3.client.send(s3.call("Get", .get, query: [("lifecycle", "")]))
            let rules = try XMLElement.parse(answer.body).all("Rule")
            #expect(rules.compactMap { $0["ID"]?.text }.sorted() == ["sluice-abandoned-parts", "sluice-payloads"])
            #expect(rules.compactMap { $0["Expiration"]?["Days"]?.text } == ["14"])
        }
    }

    @Test("more keys than one call takes are deleted")
    func manyDeletes() async throws {
        try await run { _, store, _ async throws in
            let keys = (0..<1100).map { "k/\($0)" }
            for key in keys.prefix(20) { try await store.put([], at: key, onlyIfAbsent: false) }
            try await store.delete(keys)
            #expect(try await store.list(prefix: "", after: nil, limit: 10).isEmpty)
        }
    }
}
