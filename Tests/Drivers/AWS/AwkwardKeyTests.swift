// Awkward keys and queries at servers that check signatures.
import HTTPDriver
import SluiceCore
import Testing

@testable import AWSDriver

@Suite("Awkward keys at servers that check signatures", .timeLimit(.minutes(10)))
struct AwkwardKeyTests {
    /// Three chunks when it is streamed.
    private static let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }

    @Test("a key is put in every way, listed, read, presigned and deleted", arguments: S3Verifier.allCases)
    func everyWay(verifier: S3Verifier) async throws {
        let limits = verifier.limits
        for key in AwkwardKeys.all {
            try await verifier.withBucket { bucket in
                let refusal = limits.refused[key]
                let steps = refusal == nil ? KeyStep.allCases : [.put, .streaming, .unsigned, .presignedPut]
                for step in steps {
                    let outcome = await Self.outcome { try await Self.take(step, key, bucket) }
                    #expect(outcome == refusal ?? limits.outcome(step, key), "\(step) of \(key.debugDescription)")
                }
            }
        }
    }

    @Test("a wrong secret and a tampered request are refused", arguments: S3Verifier.allCases)
    func wrong(verifier: S3Verifier) async throws {
        try await verifier.withBucket { bucket in
            try await bucket.s3.put(HTTPBody(Self.bytes), at: "a b+ü")
            let key = bucket.credentials.accessKeyID
            let stranger = try bucket.asked(
                with: AWSCredentials(accessKeyID: key, secretAccessKey: "hush-wrong-secret")
            )
            let error = await #expect(throws: AWSError.self) { _ = try await stranger.s3.get("a b+ü") }
            #expect(error?.code == "SignatureDoesNotMatch")
            #expect(error?.portError.code == .unauthorized)
            #expect(error?.tries == 1)
            var theirs = try await stranger.s3.presigner(expiry: .seconds(60))
            let call = bucket.s3.call("GetObject", .get, "a b+ü", query: [("response-content-type", "text/plain")])
            let url = try await bucket.s3.client.presign(call, expiry: .seconds(60))
            for wrong in [theirs.url("a b+ü"), url.replacing("plain", with: "html"), "\(url)&x=1"] {
                let refusal = await #expect(throws: SignedBucket.Refusal.self) { try await bucket.send(.get, wrong) }
                #expect(refusal?.description == "403 SignatureDoesNotMatch")
            }
            guard verifier.limits.checksChunks else { return }
            let refusal = await #expect(throws: SignedBucket.Refusal.self) {
                try await bucket.put(Self.bytes, at: "torn", .chunked) { $0[9000] ^= 1 }
            }
            #expect(refusal?.code == "SignatureDoesNotMatch")
            #expect(try await bucket.s3.head("torn") == nil)
        }
    }

    @Test("a presigned URL that has expired is refused", arguments: S3Verifier.allCases)
    func expired(verifier: S3Verifier) async throws {
        try await verifier.withBucket { bucket in
            try await bucket.s3.put(HTTPBody(Self.bytes), at: "a")
            let earlier = try bucket.asked(clock: ShiftedClock(off: .seconds(-600)))
            var good = try await earlier.s3.presigner(expiry: .seconds(3600))
            #expect(try await bucket.send(.get, good.url("a")) == Self.bytes)
            var late = try await earlier.s3.presigner(expiry: .seconds(60))
            let refusal = await #expect(throws: SignedBucket.Refusal.self) {
                try await bucket.send(.get, late.url("a"))
            }
            #expect(refusal?.description == verifier.limits.expired)
        }
    }

    @Test("a clock that is too far off for S3 is mended", arguments: S3Verifier.allCases, [-1200, 1200])
    func clock(verifier: S3Verifier, seconds: Int) async throws {
        try await verifier.withBucket { bucket in
            let off = try bucket.asked(clock: ShiftedClock(off: .seconds(seconds)))
            if seconds < 0, let refusal = verifier.limits.slowClock {
                let outcome = await Self.outcome {
                    try await off.s3.put(HTTPBody(Self.bytes), at: "a")
                    return true
                }
                #expect(outcome == refusal)
                return
            }
            try await off.s3.put(HTTPBody(Self.bytes), at: "a")
            #expect(try await off.s3.get("a") == Self.bytes)
            let left = off.s3.client.now.duration(to: WallClock().now)
            #expect(max(left, .zero - left) < .seconds(60))
        }
    }

    @Test("parts of full size are put together", arguments: S3Verifier.allCases)
    func parts(verifier: S3Verifier) async throws {
        try await verifier.withBucket { bucket in
            var options = S3ObjectStore.Options()
            options.partBytes = 5 << 20
            let store = S3ObjectStore(bucket.s3, options: options)
            // Joined byte by byte, without optimization, they would hold up for seconds the tests that share the threads.
            var bytes: [UInt8] = []
            for _ in 0..<600 { bytes += Self.bytes }
            try await store.put(bytes, at: "a b+ü", onlyIfAbsent: false)
            #expect(try await store.read("a b+ü", range: nil) == bytes)
        }
    }

    private static func outcome(_ body: () async throws -> Bool) async -> String {
        do {
            return try await body() ? "done" : "other"
        } catch let error as AWSError {
            return error.status.map { "\($0) \(error.code ?? "")" } ?? error.kind.rawValue
        } catch {
            return "\(error)"
        }
    }

    /// - Returns: whether it did what S3 does.
    private static func take(_ step: KeyStep, _ key: String, _ bucket: SignedBucket) async throws -> Bool {
        let s3 = bucket.s3
        switch step {
        case .put:
            try await s3.put(HTTPBody(bytes), at: key)
            return try await s3.get(key) == bytes
        case .streaming: return try await put(.chunked, key, bucket)
        case .unsigned: return try await put(.unsigned, key, bucket)
        case .trailer: return try await put(.unsignedTrailer, key, bucket)
        case .range:
            try await s3.put(HTTPBody(bytes), at: key)
            return try await bucket.range(5..<500, of: key) == Array(bytes[5..<500])
        case .rangeOfOurs: return try await s3.get(key, range: 5..<500) == Array(bytes[5..<500])
        case .multipart:
            let upload = try await s3.beginUpload(of: key, mark: "m")
            let tag = try await s3.putPart(1, HTTPBody([1, 2, 3]), of: upload, key)
            try await s3.finishUpload(upload, of: key, tags: [tag], onlyIfAbsent: false, mark: "m")
            return try await s3.get(key) == [1, 2, 3]
        case .list: return try await list("", key, bucket)
        case .listByPrefix: return try await list(key, key, bucket)
        case .presignedPut:
            var presigner = try await s3.presigner(.put, expiry: .seconds(60))
            try await bucket.send(.put, presigner.url(key), bytes)
            return try await s3.get(key) == bytes
        case .presignedGet:
            var presigner = try await s3.presigner(expiry: .seconds(60))
            return try await bucket.send(.get, presigner.url(key)) == bytes
        case .presignedQuery:
            let call = s3.call("GetObject", .get, key, query: [("response-content-type", "text/plain; x=ü+ ~")])
            return try await bucket.send(.get, s3.client.presign(call, expiry: .seconds(60))) == bytes
        case .delete:
            try await s3.delete(key)
            return try await s3.head(key) == nil
        case .batchDelete:
            try await s3.put(HTTPBody(bytes), at: key)
            // XML has no words for some keys, which our driver deletes one by one.
            if key.contains("\u{1}") { try await s3.delete(key) }
            let failures = key.contains("\u{1}") ? [] : try await s3.delete([key, "other"])
            let left = try await s3.head(key)
            return failures.isEmpty && left == nil
        }
    }

    private static func put(_ payload: AWSSigner.Payload, _ key: String, _ bucket: SignedBucket) async throws -> Bool {
        // Another body each time, so that the one before is not taken for this one.
        let bytes = Array(bytes.dropLast(payload.text.utf8.count))
        try await bucket.put(bytes, at: key, payload)
        return try await bucket.s3.get(key) == bytes
    }

    private static func list(_ prefix: String, _ key: String, _ bucket: SignedBucket) async throws -> Bool {
        let page = try await bucket.s3.list(prefix: prefix, after: nil, next: nil, limit: 10)
        return page.objects == [ObjectSummary(key: key, bytes: 3)]
    }
}
