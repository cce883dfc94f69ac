// Objects that are stored in parts.
package import HTTPDriver
internal import SluiceCore

extension S3 {
    /// Until S3 has put an object together.
    private static let completeTimeout: Duration = .seconds(600)
    /// Parts that were on their way when an upload was given up may arrive after that.
    private static let abortsMax = 3

    /// Begins an object in parts.
    ///
    /// - Returns: the upload's name.
    package func beginUpload(of key: String, mark: String) async throws(AWSError) -> String {
        let operation = "CreateMultipartUpload"
        var call = call(operation, .post, key, query: [("uploads", "")])
        call.headers = [(Self.markHeader, mark)]
        let answer = try await client.send(call)
        guard let upload = (try? XMLElement.parse(answer.body))?["UploadId"]?.text, !upload.isEmpty else {
            throw client.senseless(operation, "the answer holds no UploadId", answer)
        }
        return upload
    }

    /// Stores a part; all but the last have 5 MiB at least.
    ///
    /// - Returns: the part's tag, which the end of the upload names.
    package func putPart(
        _ number: Int,
        _ body: HTTPBody,
        of upload: String,
        _ key: String
    ) async throws(AWSError) -> String {
        let query = [(name: "partNumber", value: String(number)), ("uploadId", upload)]
        let answer = try await client.send(call("UploadPart", .put, key, query: query, body: body))
        guard let tag = answer.reply.header("ETag") else {
            throw client.senseless("UploadPart", "the answer holds no ETag", answer)
        }
        return tag
    }

    /// Makes an object of its parts.
    ///
    /// - Parameters:
    ///   - upload: the upload's name.
    ///   - key: the object's.
    ///   - tags: of all parts in their order.
    ///   - onlyIfAbsent: refuses with `PreconditionFailed` if the key is taken.
    ///   - mark: the one it began with.
    /// - Throws: S3's refusal, unless an earlier try turns out to have done it.
    package func finishUpload(
        _ upload: String,
        of key: String,
        tags: [String],
        onlyIfAbsent: Bool,
        mark: String
    ) async throws(AWSError) {
        let parts = tags.enumerated().map { number, tag in
            "<Part><PartNumber>\(number + 1)</PartNumber><ETag>\(XMLText.escaped(tag))</ETag></Part>"
        }
        let text = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
        let body = HTTPBody(Array(text.utf8))
        var call = call("CompleteMultipartUpload", .post, key, query: [("uploadId", upload)], body: body)
        call.timeout = Self.completeTimeout
        call.mayFailInside = true
        if onlyIfAbsent { call.headers.append(("If-None-Match", "*")) }
        do {
            _ = try await client.send(call)
        } catch {
            guard try await isOurs(error, key, mark) else { throw error }
        }
    }

    /// Gives an upload up and sees to it that no part stays.
    ///
    /// - Throws: why parts may have stayed; the bucket's lifecycle rule then removes them.
    package func abortUpload(_ upload: String, of key: String) async throws(AWSError) {
        let query = [(name: "uploadId", value: upload)]
        for _ in 0..<Self.abortsMax {
            do {
                _ = try await client.send(call("AbortMultipartUpload", .delete, key, query: query))
                _ = try await client.send(call("ListParts", .get, key, query: query + [("max-parts", "1")]))
            } catch {
                guard error.code == "NoSuchUpload" else { throw error }
                return
            }
        }
    }
}

/// Texts within XML.
enum XMLText {
    /// For the text of an element, its line ends included.
    static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): bytes += "&amp;".utf8
            case UInt8(ascii: "<"): bytes += "&lt;".utf8
            case UInt8(ascii: ">"): bytes += "&gt;".utf8
            case UInt8(ascii: "\""): bytes += "&quot;".utf8
            case 0x09, 0x0A, 0x0D: bytes += "&#\(byte);".utf8
            default: bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
