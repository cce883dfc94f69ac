// The Simple Storage Service: objects of one bucket, whole and in ranges.
internal import Crypto
package import HTTPDriver
internal import SluiceCore

/// One bucket of S3.
///
/// Keys are sent as they are. Copies share the client.
package struct S3: Sendable {
    package let bucket: String
    let client: AWSClient
    private let hostPrefix: String
    private let bucketPath: String

    /// What is known of an object without its bytes.
    package struct Head: Sendable, Equatable {
        package let bytes: Int
        /// What its writer marked it with.
        package let mark: String?
    }

    static let markHeader = "x-amz-meta-sluice-write"
    /// How often a read goes on after its connection broke, as long as each time some bytes came.
    private static let resumesMax = 5
    /// A peer that falls silent is found out much sooner; this is for bytes that come slowly.
    private static let bodyTimeout: Duration = .seconds(600)
    /// What a slow line carries.
    private static let bytesPerSecondMin = 64 << 10

    /// - Parameters:
    ///   - client: of S3 in the bucket's region.
    ///   - bucket: its name.
    /// - Throws: that this is no bucket's name.
    package init(_ client: AWSClient, bucket: String) throws(AWSProblem) {
        let letters = bucket.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x2E
        }
        guard letters, (3...63).contains(bucket.utf8.count), !bucket.contains("..") else {
            throw AWSProblem(
                "the bucket's name is none: it has 3 to 63 lower-case letters, digits, dashes and dots, such as my-bucket"
            )
        }
        self.client = client
        self.bucket = bucket
        // A bucket with a dot has no certificate of its own, and an emulator has no host for each bucket.
        let isAWS = client.endpoint.host.hasPrefix("s3.") && client.endpoint.host.contains(".amazonaws.")
        let isHost = isAWS && !bucket.contains(".")
        hostPrefix = isHost ? "\(bucket)." : ""
        bucketPath = isHost ? "" : "/\(bucket)"
    }

    func call(
        _ operation: String,
        _ method: HTTPCall.Method,
        _ key: String? = nil,
        query: [(name: String, value: String)] = [],
        body: HTTPBody? = nil
    ) -> AWSCall {
        let path = key.map { "\(bucketPath)/\(Escaping.escapedPath($0))" } ?? (bucketPath.isEmpty ? "/" : bucketPath)
        var call = AWSCall(operation, method, path: path, body: body)
        call.query = query
        call.hostPrefix = hostPrefix
        call.bucket = bucket
        if let body { call.timeout = .seconds(60 + body.count / Self.bytesPerSecondMin) }
        return call
    }

    /// The call's body guarded by a digest, which some operations insist on.
    func guarded(_ call: AWSCall) -> AWSCall {
        var call = call
        let digest = call.body?.withBytes { Array(Insecure.MD5.hash(data: $0)) } ?? []
        call.headers.append(("Content-MD5", String(decoding: Base64.encode(digest), as: UTF8.self)))
        return call
    }

    /// Stores an object at once.
    ///
    /// - Parameters:
    ///   - body: up to 5 GB.
    ///   - key: where.
    ///   - onlyIfAbsent: refuses with `PreconditionFailed` if the key is taken.
    ///   - mark: kept with the object; tells an object of ours from one that another writer has put.
    /// - Throws: S3's refusal, unless an earlier try turns out to have done it.
    package func put(
        _ body: HTTPBody,
        at key: String,
        onlyIfAbsent: Bool = false,
        mark: String? = nil
    ) async throws(AWSError) {
        var call = call("PutObject", .put, key, body: body)
        if onlyIfAbsent { call.headers.append(("If-None-Match", "*")) }
        if let mark { call.headers.append((Self.markHeader, mark)) }
        do {
            _ = try await client.send(call)
        } catch {
            guard onlyIfAbsent, let mark, try await isOurs(error, key, mark) else { throw error }
        }
    }

    /// Whether the condition failed because an earlier try of the same call had done it.
    func isOurs(_ error: AWSError, _ key: String, _ mark: String) async throws(AWSError) -> Bool {
        guard error.earlierOutcomeUnknown, error.status == 412 || error.code == "NoSuchUpload" else { return false }
        return try await head(key)?.mark == mark
    }

    /// The object's size and mark, or nil if there is none.
    package func head(_ key: String) async throws(AWSError) -> Head? {
        do throws(AWSError) {
            let answer = try await client.send(call("HeadObject", .head, key))
            guard let bytes = answer.reply.header("Content-Length").flatMap({ Int($0) }) else {
                throw client.senseless("HeadObject", "the answer says no length", answer)
            }
            return Head(bytes: bytes, mark: answer.reply.header(Self.markHeader))
        } catch {
            guard error.status == 404, error.code != "NoSuchBucket" else { throw error }
            return nil
        }
    }

    /// An object's bytes, or those of a range that is not empty; nil if the object ends before the range.
    ///
    /// If the connection breaks on the way, it goes on from there, as long as the object is still the same.
    package func get(_ key: String, range: Range<Int>? = nil) async throws(AWSError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var tag: String?
        var resumes = 0
        while true {
            let done = bytes.count
            var call = call("GetObject", .get, key)
            call.timeout = Self.bodyTimeout
            let from = (range?.lowerBound ?? 0) + done
            let isPart = range != nil || done > 0
            if isPart {
                let last = range.map { String($0.upperBound - 1) } ?? ""
                call.headers.append(("Range", "bytes=\(from)-\(last)"))
            }
            if let tag, done > 0 { call.headers.append(("If-Match", tag)) }
            do {
                _ = try await client.stream(call) { reply, chunk throws(HTTPFailure) in
                    guard !isPart || reply.status == 206 else {
                        let problem = "a range was asked for, and not only the range came"
                        throw HTTPFailure(.invalidAnswer, problem, mayHaveReached: true)
                    }
                    tag = reply.header("ETag")
                    bytes.append(contentsOf: chunk)
                    return .more
                }
                return bytes
            } catch {
                // Behind the last byte there is nothing; all of them had come.
                if error.status == 416 { return done > 0 ? bytes : nil }
                let wasReplaced = done > 0 && error.status == 412
                guard wasReplaced || error.isRetryable && bytes.count > done && tag != nil,
                    resumes < Self.resumesMax
                else { throw error }
                resumes += 1
                if wasReplaced { bytes.removeAll() }
                if let range, bytes.count >= range.count { return bytes }
            }
        }
    }

    /// Makes the bucket in the client's region, if it is not there and ours.
    package func makeBucket() async throws(AWSError) {
        let region = client.signer.region
        let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
        let place = "<LocationConstraint>\(region)</LocationConstraint>"
        let text = "<CreateBucketConfiguration xmlns=\"\(namespace)\">\(place)</CreateBucketConfiguration>"
        // The oldest region is the only one that can't be named.
        let body = region == "us-east-1" ? nil : HTTPBody(Array(text.utf8))
        do {
            _ = try await client.send(call("CreateBucket", .put, body: body))
        } catch {
            guard error.code == "BucketAlreadyOwnedByYou" else { throw error }
        }
    }

    /// Presigns many objects' URLs; see `AWSClient.presigner`.
    package func presigner(_ method: HTTPCall.Method = .get, expiry: Duration) async throws(AWSError) -> Presigner {
        try await client.presigner(method, hostPrefix: hostPrefix, bucketPath: bucketPath, expiry: expiry)
    }
}
