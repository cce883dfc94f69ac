// Objects put with each thing that a signature can say of a body.
import HTTPDriver
import SluiceCore

@testable import AWSDriver

extension SignedBucket {
    /// Stores an object with what is said of its body by the request's signature.
    ///
    /// - Parameters:
    ///   - bytes: the object.
    ///   - key: where.
    ///   - payload: what is said.
    ///   - tamper: changes what was signed before it is sent.
    /// - Throws: the server's refusal.
    func put(
        _ bytes: [UInt8],
        at key: String,
        _ payload: AWSSigner.Payload,
        tamper: (inout [UInt8]) -> Void = { _ in }
    ) async throws {
        let client = s3.client
        let moment = client.clock.now
        var call = s3.call("PutObject", .put, key)
        var body = bytes
        switch payload {
        case .chunked:
            call.headers = [
                ("Content-Encoding", "aws-chunked"), ("X-Amz-Decoded-Content-Length", String(bytes.count)),
            ]
        case .unsignedTrailer:
            call.headers = [
                ("Content-Encoding", "aws-chunked"), ("X-Amz-Decoded-Content-Length", String(bytes.count)),
                ("X-Amz-Trailer", "x-amz-checksum-sha256"),
            ]
            body = Self.withTrailer(bytes)
        case .digest, .unsigned: break
        }
        let signable = client.signable(call)
        let signed = client.signer.sign(signable, payload: payload, credentials: credentials, at: moment)
        if payload == .chunked {
            let seed = signed.signature
            let chunks = ChunkSigner(client.signer, seed: seed, credentials: credentials, at: moment)
            body = Self.chunked(bytes, chunks)
        }
        tamper(&body)
        let url = "\(client.endpoint.scheme)://\(signable.host)\(signable.path)"
        try await send(.put, url, headers: call.headers + signed.headers, body)
    }

    /// A range of an object, from a server that may not call it one.
    func range(_ range: Range<Int>, of key: String) async throws -> [UInt8] {
        var call = s3.call("GetObject", .get, key)
        call.headers = [("Range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        return try await s3.client.send(call).body
    }

    /// Chunks of the smallest size that S3 takes.
    private static func chunked(_ bytes: [UInt8], _ signer: ChunkSigner) -> [UInt8] {
        let size = 8192
        var signer = signer
        var body: [UInt8] = []
        for from in stride(from: 0, to: bytes.count, by: size) {
            bytes[from..<min(bytes.count, from + size)].withUnsafeBytes { signer.append($0, to: &body) }
        }
        [].withUnsafeBytes { signer.append($0, to: &body) }
        return body
    }

    private static func withTrailer(_ bytes: [UInt8]) -> [UInt8] {
        let hex = Array(bytes.withUnsafeBytes { PayloadDigest.text($0) }.utf8)
        let digest = stride(from: 0, to: hex.count, by: 2).compactMap { place in
            UInt8(String(decoding: hex[place..<place + 2], as: UTF8.self), radix: 16)
        }
        let sum = String(decoding: Base64.encode(digest), as: UTF8.self)
        let head = Array("\(String(bytes.count, radix: 16))\r\n".utf8)
        return head + bytes + Array("\r\n0\r\nx-amz-checksum-sha256:\(sum)\r\n\r\n".utf8)
    }
}
