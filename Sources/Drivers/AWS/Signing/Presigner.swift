// Presigns many URLs of one bucket: what they share is worked out once.
internal import Crypto
package import SluiceCore

/// Presigned URLs that differ in the object's key alone.
///
/// All are signed for the same moment, so a long run makes a new one now and then. It works on bytes and keeps its buffers:
/// for one URL there are two passes of SHA-256 and, beyond the URL itself, no allocation. A value for one task at a time.
package struct Presigner: Sendable {
    /// When the URLs stop working: with their expiry, or with the credentials if those end sooner.
    package let expires: Timestamp

    private let origin: [UInt8]
    private let query: [UInt8]
    private let tail: [UInt8]
    private let pathStart: Int
    private let basePathEnd: Int
    /// Has absorbed what is signed before the digest.
    private let hash: KeyedHash
    /// Method, newline and the path before the key; each URL's own part is put behind it.
    private var canonical: [UInt8]

    private static let digestCount = 64

    /// - Parameters:
    ///   - signer: of the service S3.
    ///   - method: `GET`, `PUT`, …
    ///   - scheme: `https`, or `http` for an emulator.
    ///   - host: as the `Host` header will have it.
    ///   - basePath: escaped, before the key: empty, or `/bucket`.
    ///   - query: what each URL asks for besides, not escaped.
    ///   - expiry: 1 second to 7 days.
    ///   - credentials: who permits.
    ///   - moment: when, by the service's clock.
    package init(
        _ signer: AWSSigner,
        _ method: String = "GET",
        scheme: String = "https",
        host: String,
        basePath: String = "",
        query: [(name: String, value: String)] = [],
        expiry: Duration,
        credentials: AWSCredentials,
        at moment: Timestamp
    ) {
        precondition(signer.isS3, "only S3's paths are signed as they are sent")
        let time = SigningTime(moment)
        let key = signer.key(credentials, time)
        var request = SignableRequest(method, host: host, path: "", query: query)
        request.query += AWSSigner.query(credentials, key, time, expiry, signedHeaders: "host")
        let canonicalQuery = request.canonicalQuery
        origin = Array("\(scheme)://\(host)".utf8)
        self.query = Array("?\(canonicalQuery)&X-Amz-Signature=".utf8)
        tail = Array("\n\(canonicalQuery)\nhost:\(host)\n\nhost\n\(AWSSigner.Payload.unsigned.text)".utf8)
        canonical = Array("\(method)\n\(basePath)/".utf8)
        pathStart = method.utf8.count + 1
        basePathEnd = canonical.count
        var hash = key.hash
        let head = "\(AWSSigner.algorithm)\n\(time.stamp)\n\(key.scope)\n"
        Array(head.utf8).withUnsafeBytes { hash.absorb($0) }
        self.hash = hash
        let end = moment.advanced(by: expiry)
        expires = credentials.expires.map { min($0, end) } ?? end
    }

    /// Appends the URL of a key, which is UTF-8 and not escaped.
    package mutating func append(_ key: UnsafeBufferPointer<UInt8>, to url: inout [UInt8]) {
        canonical.removeSubrange(basePathEnd...)
        Escaping.append(key, isPath: true, to: &canonical)
        let pathEnd = canonical.count
        canonical.append(contentsOf: tail)
        // Making room for one more each time would copy a long buffer each time.
        if url.isEmpty {
            url.reserveCapacity(origin.count + pathEnd - pathStart + query.count + Self.digestCount)
        }
        url.append(contentsOf: origin)
        canonical.withUnsafeBufferPointer { bytes in
            url.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[pathStart..<pathEnd]))
        }
        url.append(contentsOf: query)
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.digestCount) { digits in
            sign(into: digits)
            url.append(contentsOf: digits)
        }
    }

    /// The URL of a key, which is not escaped.
    package mutating func url(_ key: String) -> String {
        var key = key
        var url: [UInt8] = []
        key.withUTF8 { append($0, to: &url) }
        return String(decoding: url, as: UTF8.self)
    }

    /// Writes the signature of what is in the buffer.
    private func sign(into digits: UnsafeMutableBufferPointer<UInt8>) {
        var digest = SHA256()
        canonical.withUnsafeBytes { digest.update(bufferPointer: $0) }
        digest.finalize().withUnsafeBytes { Hex.write($0, to: digits) }
        let code = hash.authenticate(UnsafeRawBufferPointer(digits))
        code.withUnsafeBytes { Hex.write($0, to: digits) }
    }
}
