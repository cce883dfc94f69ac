// Signs requests by headers or by query.
package import SluiceCore

/// Signature Version 4 for one service in one region.
///
/// Copies share the keys that were derived.
package struct AWSSigner: Sendable {
    /// What a signature says of the body.
    package enum Payload: Sendable, Equatable {
        /// Nothing; TLS guards it alone.
        case unsigned
        /// Lower-case hexadecimal SHA-256 of the bytes.
        case digest(String)
        /// Chunks, each with a signature of its own that begins with this one's.
        case chunked
        /// Unsigned chunks with a checksum behind them.
        case unsignedTrailer

        /// The digest of a body's bytes.
        package static func signed(_ bytes: UnsafeRawBufferPointer) -> Payload {
            .digest(bytes.isEmpty ? PayloadDigest.empty : PayloadDigest.text(bytes))
        }

        /// Of a request without a body.
        package static var none: Payload { .digest(PayloadDigest.empty) }

        var text: String {
            switch self {
            case .unsigned: "UNSIGNED-PAYLOAD"
            case .digest(let digest): digest
            case .chunked: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
            case .unsignedTrailer: "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
            }
        }

        var isDigest: Bool {
            if case .digest = self { true } else { false }
        }
    }

    /// What a signature adds to a request.
    package struct Signed: Sendable {
        package let headers: [(name: String, value: String)]
        package let signature: String
    }

    static let algorithm = "AWS4-HMAC-SHA256"
    /// The longest that a presigned URL can live: a week.
    package static let expiryMax: Duration = .seconds(604_800)

    package let service: String
    package let region: String
    let isS3: Bool
    private let keys = SigningKeys()

    /// - Parameters:
    ///   - service: the name that the service is signed by, such as `dynamodb`.
    ///   - region: such as `eu-west-1`.
    package init(service: String, region: String) {
        self.service = service
        self.region = region
        isS3 = service == "s3"
    }

    var pathRule: PathRule { isS3 ? .asSent : .normalized }

    func key(_ credentials: AWSCredentials, _ time: SigningTime) -> SigningKey {
        keys.key(secret: credentials.secret, day: time.day, region: region, service: service)
    }

    /// The headers that make a request signed.
    ///
    /// - Parameters:
    ///   - request: the request with all headers that are to be signed, without those of an earlier signature.
    ///   - payload: what is said of the body.
    ///   - credentials: who asks.
    ///   - moment: when, by the service's clock.
    /// - Returns: the headers to add, and the signature alone for what builds on it.
    package func sign(
        _ request: SignableRequest,
        payload: Payload,
        credentials: AWSCredentials,
        at moment: Timestamp
    ) -> Signed {
        let time = SigningTime(moment)
        var added = [(name: "X-Amz-Date", value: time.stamp)]
        if let token = credentials.token { added.append(("X-Amz-Security-Token", token)) }
        if isS3 || !payload.isDigest { added.append(("X-Amz-Content-SHA256", payload.text)) }
        var request = request
        request.headers += added
        let key = key(credentials, time)
        let (text, names) = request.canonical(pathRule, query: request.canonicalQuery, payload: payload.text)
        let signature = key.signature(Self.stringToSign(text, time, key))
        let scope = "Credential=\(credentials.accessKeyID)/\(key.scope)"
        let authorization = "\(Self.algorithm) \(scope), SignedHeaders=\(names), Signature=\(signature)"
        added.append(("Authorization", authorization))
        return Signed(headers: added, signature: signature)
    }

    /// The path and query of a URL that is its own permission.
    ///
    /// - Parameters:
    ///   - request: the request; its headers have to come with whoever uses the URL.
    ///   - expiry: 1 second to `expiryMax`; credentials that expire sooner end it sooner.
    ///   - payload: nil for what the service expects: nothing said for S3, an empty body for others.
    ///   - credentials: who permits.
    ///   - moment: when, by the service's clock.
    /// - Returns: `path?query`, to be put behind scheme and host.
    package func presign(
        _ request: SignableRequest,
        expiry: Duration,
        payload: Payload? = nil,
        credentials: AWSCredentials,
        at moment: Timestamp
    ) -> String {
        let time = SigningTime(moment)
        let key = key(credentials, time)
        var request = request
        let names = request.canonicalHeaders.map(\.name).joined(separator: ";")
        request.query += Self.query(credentials, key, time, expiry, signedHeaders: names)
        let query = request.canonicalQuery
        let payload = payload ?? (isS3 ? .unsigned : .none)
        let (text, _) = request.canonical(pathRule, query: query, payload: payload.text)
        let signature = key.signature(Self.stringToSign(text, time, key))
        return "\(request.path.isEmpty ? "/" : request.path)?\(query)&X-Amz-Signature=\(signature)"
    }

    /// What a presigned query says of itself, without the signature.
    static func query(
        _ credentials: AWSCredentials,
        _ key: SigningKey,
        _ time: SigningTime,
        _ expiry: Duration,
        signedHeaders: String
    ) -> [(name: String, value: String)] {
        precondition((.seconds(1)...expiryMax).contains(expiry), "a presigned URL lives for 1 second to 7 days")
        var query = [
            (name: "X-Amz-Algorithm", value: algorithm),
            ("X-Amz-Credential", "\(credentials.accessKeyID)/\(key.scope)"),
            ("X-Amz-Date", time.stamp),
            ("X-Amz-Expires", String(expiry.components.seconds)),
            ("X-Amz-SignedHeaders", signedHeaders),
        ]
        if let token = credentials.token { query.append(("X-Amz-Security-Token", token)) }
        return query
    }

    private static func stringToSign(_ canonical: [UInt8], _ time: SigningTime, _ key: SigningKey) -> [UInt8] {
        var text = SigningText()
        for line in [algorithm, time.stamp, key.scope] { text.add(line, "\n") }
        text.add(canonical.withUnsafeBytes { PayloadDigest.text($0) })
        return text.bytes
    }
}
