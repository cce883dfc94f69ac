// The key of one day, region and service, derived once and kept.
internal import Crypto
internal import SluiceCore
internal import Synchronization

/// A moment as signatures write it.
struct SigningTime: Sendable, Equatable {
    /// Such as `20130524`.
    let day: String
    /// Such as `20130524T000000Z`.
    let stamp: String

    init(_ moment: Timestamp) {
        let civil = moment.civil
        day = pad(civil.year, 4) + pad(civil.month, 2) + pad(civil.day, 2)
        stamp = "\(day)T" + pad(civil.hour, 2) + pad(civil.minute, 2) + pad(civil.second, 2) + "Z"
    }
}

/// A key of HMAC-SHA-256, absorbed already: authenticating is a copy and the text's own blocks.
///
/// The construction of RFC 2104 over swift-crypto's SHA-256. Its own HMAC takes texts as `DataProtocol` alone; that, and
/// absorbing the same beginning each time, cost a presigned URL a quarter of its time.
struct KeyedHash: Sendable {
    private var inner = SHA256()
    private var outer = SHA256()

    private static let blockCount = 64

    /// - Parameter key: at most a block of 64 bytes, as all keys here are digests; a longer one is hashed first.
    init(key: [UInt8]) {
        var key = key.count > Self.blockCount ? Array(SHA256.hash(data: key)) : key
        key += [UInt8](repeating: 0, count: Self.blockCount - key.count)
        key.map { $0 ^ 0x36 }.withUnsafeBytes { inner.update(bufferPointer: $0) }
        key.map { $0 ^ 0x5C }.withUnsafeBytes { outer.update(bufferPointer: $0) }
    }

    /// Takes a text that all that follow begin with.
    mutating func absorb(_ text: UnsafeRawBufferPointer) {
        inner.update(bufferPointer: text)
    }

    /// The code of what was absorbed and this text, which leaves the hash as it is.
    @inline(__always)
    func authenticate(_ text: UnsafeRawBufferPointer) -> SHA256Digest {
        var inner = inner
        inner.update(bufferPointer: text)
        var outer = outer
        inner.finalize().withUnsafeBytes { outer.update(bufferPointer: $0) }
        return outer.finalize()
    }
}

/// A derived key.
struct SigningKey: Sendable {
    /// Such as `20130524/us-east-1/s3/aws4_request`.
    let scope: String
    let hash: KeyedHash

    init(secret: String, day: String, region: String, service: String) {
        scope = "\(day)/\(region)/\(service)/aws4_request"
        var key = Array("AWS4\(secret)".utf8)
        for word in [day, region, service, "aws4_request"] {
            let code = Array(word.utf8).withUnsafeBytes { KeyedHash(key: key).authenticate($0) }
            key = Array(code)
        }
        hash = KeyedHash(key: key)
    }

    func signature(_ text: [UInt8]) -> String {
        let code = text.withUnsafeBytes { hash.authenticate($0) }
        return code.withUnsafeBytes { Hex.text($0) }
    }
}

/// The keys in use, few and each for a day.
final class SigningKeys: Sendable {
    private struct Entry {
        let secret: String
        let day: String
        let region: String
        let service: String
        let key: SigningKey
    }

    /// Regions times credentials that one client may alternate between; deriving anew is no fault.
    private static let keptMax = 16

    private let entries = Mutex<[Entry]>([])

    func key(secret: String, day: String, region: String, service: String) -> SigningKey {
        let known = entries.withLock { entries in
            entries.first { $0.day == day && $0.region == region && $0.service == service && $0.secret == secret }
        }
        if let known { return known.key }
        let key = SigningKey(secret: secret, day: day, region: region, service: service)
        entries.withLock { entries in
            if entries.count >= Self.keptMax { entries.removeFirst() }
            entries.append(Entry(secret: secret, day: day, region: region, service: service, key: key))
        }
        return key
    }
}

/// Digests of what is sent.
enum PayloadDigest {
    /// Of no bytes at all.
    static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        var hash = SHA256()
        hash.update(bufferPointer: bytes)
        return hash.finalize().withUnsafeBytes { Hex.text($0) }
    }
}
