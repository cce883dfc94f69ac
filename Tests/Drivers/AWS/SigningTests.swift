// Signatures are those of botocore, to the byte, and those that AWS publishes.
import SluiceCore
import Testing

@testable import AWSDriver

/// One request and how botocore signed it.
struct Vector: CustomTestStringConvertible {
    let value: JSONValue

    static let all: [Vector] = BotocoreVectors.lines.split(separator: "\n").compactMap {
        (try? JSONValue.parse(String($0))).map { Vector(value: $0) }
    }

    static var byHeaders: [Vector] { all.filter { $0.value["authorization"] != nil } }
    static var byQuery: [Vector] { all.filter { $0.value["signature"] != nil } }
    static var byKey: [Vector] { byQuery.filter { $0.value["key"] != nil } }

    var testDescription: String { "\(text("method")) \(text("service")) \(text("path").prefix(60)) \(pairs("query"))" }

    func text(_ name: String) -> String { value[name]?.stringValue ?? "" }

    func pairs(_ name: String) -> [(name: String, value: String)] {
        (value[name]?.arrayValue ?? []).map { pair in
            let parts = pair.arrayValue?.compactMap(\.stringValue) ?? []
            return (parts[0], parts[1])
        }
    }

    var expiry: Duration { .seconds(value["expiry"]?.intValue ?? 0) }

    func credentials() throws -> AWSCredentials {
        let parts = value["session"] == true ? BotocoreVectors.session : BotocoreVectors.staying
        return try AWSCredentials(
            accessKeyID: parts[0],
            secretAccessKey: parts[1],
            sessionToken: parts.count > 2 ? parts[2] : nil
        )
    }

    var signer: AWSSigner { AWSSigner(service: text("service"), region: text("region")) }

    var request: SignableRequest {
        SignableRequest(
            text("method"),
            host: text("host"),
            path: value["key"]?.stringValue.map { "/" + Escaping.escapedPath($0) } ?? text("path"),
            query: pairs("query"),
            headers: pairs("headers")
        )
    }

    var payload: AWSSigner.Payload {
        if value["trailer"] == true { return .unsignedTrailer }
        return value["unsigned"] == true ? .unsigned : Array(text("body").utf8).withUnsafeBytes { .signed($0) }
    }
}

@Suite("Signature Version 4")
struct SigningTests {
    private let moment: Timestamp

    init() throws {
        moment = try #require(Timestamp(BotocoreVectors.moment))
    }

    @Test("the table is all there")
    func table() {
        let lines = BotocoreVectors.lines.split(separator: "\n").count
        #expect(Vector.all.count == lines)
        #expect(Vector.byHeaders.count + Vector.byQuery.count == lines)
        #expect(Vector.byHeaders.count > 50 && Vector.byQuery.count > 25)
    }

    @Test("headers are signed as botocore signs them", arguments: Vector.byHeaders)
    func headers(vector: Vector) throws {
        #expect(vector.request.path == vector.text("path"))
        let credentials = try vector.credentials()
        let signed = vector.signer.sign(vector.request, payload: vector.payload, credentials: credentials, at: moment)
        let authorization = signed.headers.first { $0.name == "Authorization" }?.value
        #expect(authorization == vector.text("authorization"))
        #expect(authorization?.hasSuffix(signed.signature) == true)
    }

    @Test("URLs are presigned as botocore presigns them", arguments: Vector.byQuery)
    func presigned(vector: Vector) throws {
        let credentials = try vector.credentials()
        let place = vector.signer.presign(
            vector.request,
            expiry: vector.expiry,
            credentials: credentials,
            at: moment
        )
        let signature = vector.text("signature")
        #expect(place == "\(vector.text("path"))?\(vector.text("sorted"))&X-Amz-Signature=\(signature)")
    }

    @Test("URLs that are presigned in bulk are the same", arguments: Vector.byKey)
    func bulk(vector: Vector) throws {
        let credentials = try vector.credentials()
        var presigner = Presigner(
            vector.signer,
            host: vector.text("host"),
            expiry: vector.expiry,
            credentials: credentials,
            at: moment
        )
        let place = vector.signer.presign(vector.request, expiry: vector.expiry, credentials: credentials, at: moment)
        _ = presigner.url("another key, longer or shorter")
        #expect(presigner.url(vector.text("key")) == "https://\(vector.text("host"))\(place)")
    }

    @Test("what every URL of a bulk asks for besides, and a bucket in the path, are signed too")
    func bulkQuery() throws {
        let credentials = try AWSCredentials(accessKeyID: "A", secretAccessKey: "S", sessionToken: "T")
        let signer = AWSSigner(service: "s3", region: "us-east-1")
        let query = [(name: "response-content-type", value: "a/b c"), ("Versioned", "")]
        var presigner = Presigner(
            signer,
            "PUT",
            scheme: "http",
            host: "127.0.0.1:4566",
            basePath: "/bucket",
            query: query,
            expiry: .seconds(60),
            credentials: credentials,
            at: moment
        )
        let request = SignableRequest("PUT", host: "127.0.0.1:4566", path: "/bucket/a%2Bb", query: query)
        let place = signer.presign(request, expiry: .seconds(60), credentials: credentials, at: moment)
        #expect(presigner.url("a+b") == "http://127.0.0.1:4566\(place)")
        #expect(presigner.expires == moment.advanced(by: .seconds(60)))
    }

    @Test("a presigned URL ends with its credentials")
    func bulkExpiry() throws {
        let end = moment.advanced(by: .seconds(10))
        let credentials = try AWSCredentials(accessKeyID: "A", secretAccessKey: "S", sessionToken: "T", expires: end)
        let signer = AWSSigner(service: "s3", region: "us-east-1")
        let presigner = Presigner(signer, host: "h", expiry: .seconds(60), credentials: credentials, at: moment)
        #expect(presigner.expires == end)
    }

    @Test("a signer changes keys with the day and with the credentials, and back")
    func keys() throws {
        let first = try AWSCredentials(accessKeyID: "A", secretAccessKey: "S")
        let second = try AWSCredentials(accessKeyID: "A", secretAccessKey: "T")
        let request = SignableRequest("GET", host: "h", path: "/")
        let signer = AWSSigner(service: "sqs", region: "us-east-1")
        for day in 0..<40 {
            for credentials in [first, second] {
                let now = moment.advanced(by: .seconds(day / 2 * 86_400))
                let fresh = AWSSigner(service: "sqs", region: "us-east-1")
                let expected = fresh.sign(request, payload: .none, credentials: credentials, at: now).signature
                let signature = signer.sign(request, payload: .none, credentials: credentials, at: now).signature
                #expect(signature == expected)
            }
        }
    }
}

/// The examples in AWS's own documents.
@Suite("Signatures that AWS publishes")
struct PublishedSigningTests {
    private let moment: Timestamp
    private let credentials: AWSCredentials
    private let s3 = AWSSigner(service: "s3", region: "us-east-1")
    private let host = "examplebucket.s3.amazonaws.com"

    init() throws {
        moment = try #require(Timestamp("2013-05-24T00:00:00Z"))
        credentials = try AWSCredentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
        )
    }

    @Test("of a call by query")
    func listUsers() throws {
        let credentials = try AWSCredentials(
            accessKeyID: "AKIDEXAMPLE",
            secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
        )
        let request = SignableRequest(
            "GET",
            host: "iam.amazonaws.com",
            path: "/",
            query: [("Version", "2010-05-08"), ("Action", "ListUsers")],
            headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        )
        let moment = try #require(Timestamp("2015-08-30T12:36:00Z"))
        let iam = AWSSigner(service: "iam", region: "us-east-1")
        let signed = iam.sign(request, payload: .none, credentials: credentials, at: moment)
        #expect(signed.signature == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7")
    }

    @Test("of an object's range")
    func range() {
        let request = SignableRequest("GET", host: host, path: "/test.txt", headers: [("Range", "bytes=0-9")])
        let signed = s3.sign(request, payload: .none, credentials: credentials, at: moment)
        #expect(signed.signature == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("of a presigned URL")
    func presigned() {
        var presigner = Presigner(s3, host: host, expiry: .seconds(86_400), credentials: credentials, at: moment)
        let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        #expect(presigner.url("test.txt").hasSuffix("X-Amz-SignedHeaders=host&X-Amz-Signature=\(signature)"))
    }

    @Test("of a body in chunks")
    func chunks() {
        let request = SignableRequest(
            "PUT",
            host: "s3.amazonaws.com",
            path: "/examplebucket/chunkObject.txt",
            headers: [
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"), ("Content-Encoding", "aws-chunked"),
                ("x-amz-decoded-content-length", "66560"), ("Content-Length", "66824"),
            ]
        )
        let seed = s3.sign(request, payload: .chunked, credentials: credentials, at: moment).signature
        #expect(seed == "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9")
        var signer = ChunkSigner(s3, seed: seed, credentials: credentials, at: moment)
        var body: [UInt8] = []
        for count in [65_536, 1024, 0] {
            [UInt8](repeating: UInt8(ascii: "a"), count: count).withUnsafeBytes { signer.append($0, to: &body) }
        }
        #expect(body.count == 66_824)
        #expect(ChunkSigner.framedCount(66_560, chunk: 65_536) == 66_824)
        #expect(ChunkSigner.framedCount(65_536, chunk: 65_536) == 66_824 - 1024 - 3 - 85)
        let heads = String(decoding: body, as: UTF8.self).split(separator: "\r\n").filter { $0.contains(";") }
        #expect(
            heads == [
                "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ]
        )
    }
}
