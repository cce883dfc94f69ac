// Signs the chunks of a body that is sent while it is made.
package import SluiceCore

/// Frames of `aws-chunked`: each carries a signature over its bytes and over the frame before it.
///
/// The request was signed with `.chunked`, names `aws-chunked` as its `Content-Encoding`, and says by
/// `X-Amz-Decoded-Content-Length` how many bytes the frames carry. Every chunk but the last has at least 8 KiB.
package struct ChunkSigner: Sendable {
    private let key: SigningKey
    private let stamp: String
    private var previous: String

    /// - Parameters:
    ///   - signer: what signed the request.
    ///   - seed: the request's signature.
    ///   - credentials: those of the request.
    ///   - moment: the request's.
    package init(_ signer: AWSSigner, seed: String, credentials: AWSCredentials, at moment: Timestamp) {
        let time = SigningTime(moment)
        key = signer.key(credentials, time)
        stamp = time.stamp
        previous = seed
    }

    /// Appends the frame of a chunk; that of no bytes ends the body.
    package mutating func append(_ chunk: UnsafeRawBufferPointer, to body: inout [UInt8]) {
        let digest = PayloadDigest.text(chunk)
        let head = "\(AWSSigner.algorithm)-PAYLOAD\n\(stamp)\n\(key.scope)\n\(previous)\n"
        previous = key.signature(Array("\(head)\(PayloadDigest.empty)\n\(digest)".utf8))
        body.append(contentsOf: "\(String(chunk.count, radix: 16));chunk-signature=\(previous)\r\n".utf8)
        body.append(contentsOf: chunk)
        body.append(contentsOf: "\r\n".utf8)
    }

    /// How many bytes the frames of a body take, its end included.
    package static func framedCount(_ count: Int, chunk: Int) -> Int {
        let frame = { (count: Int) in String(count, radix: 16).utf8.count + 17 + 64 + 2 + count + 2 }
        let rest = count % chunk
        return count / chunk * frame(chunk) + (rest > 0 ? frame(rest) : 0) + frame(0)
    }
}
