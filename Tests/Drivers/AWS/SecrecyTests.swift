// Nothing that an error prints holds a secret, a session's token or a signature.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import Testing

@testable import AWSDriver

@Suite("Secrecy of errors", .timeLimit(.minutes(10)))
struct SecrecyTests {
    /// Answers with all that a caller has sent, in the words of JSON or XML.
    private static func echo(_ status: Int, _ code: String, isXML: Bool) -> ScriptedStandIn {
        ScriptedStandIn { _, asked in
            let sent = asked.headers.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            let words = "\(AWSWorld.secret) \(asked.target) \(sent)"
            if isXML {
                let message = XMLText.escaped(words)
                return Answer(status, "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>")
            }
            let body: JSONValue = ["__type": .string("x#\(code)"), "message": .string(words)]
            return Answer(status, body.description)
        }
    }

    private static let codes = [
        (400, "IncompleteSignature"), (403, "SignatureDoesNotMatch"), (403, "RequestTimeTooSkewed"),
        (403, "AccessDenied"),
        (400, "ExpiredToken"), (403, "InvalidAccessKeyId"), (400, "AuthorizationHeaderMalformed"),
        (404, "NoSuchBucket"),
        (400, "ResourceNotFoundException"), (400, "QueueDoesNotExist"), (503, "SlowDown"),
        (400, "ProvisionedThroughputExceededException"), (500, "InternalError"), (400, "TransactionCanceledException"),
    ]

    private static func signatures(_ standIn: ScriptedStandIn) -> [String] {
        standIn.asked.compactMap { $0.header("authorization")?.split(separator: "=").last.map { String($0) } }
    }

    private func expectSecrecy(_ error: AWSError?, _ signatures: [String], _ what: String) {
        guard let error else {
            Issue.record("\(what) did not fail")
            return
        }
        for text in ["\(error)", error.localizedText, "\(error.portError)", error.message] {
            #expect(!text.contains("hush"), "\(what)")
            for signature in signatures { #expect(!text.contains(signature), "\(what)") }
        }
    }

    @Test("a service that repeats all it was sent gets nothing of it into an error", arguments: [false, true])
    func echoed(isXML: Bool) async throws {
        for (status, code) in Self.codes {
            try await AWSWorld.run(.s3, Self.echo(status, code, isXML: isXML), clock: EagerClock()) { client, standIn in
                let error = await #expect(throws: AWSError.self) {
                    _ = try await client.send(AWSCall("Test", .get, path: "/bucket/key"))
                }
                let signatures = Self.signatures(standIn)
                #expect(!signatures.isEmpty)
                #expect(error?.code == code)
                expectSecrecy(error, signatures, code)
            }
        }
    }

    @Test(
        "an endpoint that resets, stalls or talks nonsense is told without its call's secrets",
        arguments: [ConnectionFault.reset, .hangUp, .stall(nil), .raw(Array("what?\r\n\r\n".utf8))]
    )
    func broken(fault: ConnectionFault) async throws {
        var http = HTTPOptions()
        http.stallTimeout = .milliseconds(100)
        let standIn = ScriptedStandIn([.fault(fault)])
        try await AWSWorld.run(.dynamoDB, standIn, http: http, clock: EagerClock()) { client, standIn in
            let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
            expectSecrecy(error, Self.signatures(standIn), fault.name)
        }
    }

    @Test("a presigned URL that can't be fetched is told without its query")
    func presigned() async throws {
        try await AWSWorld.run(.s3, ScriptedStandIn([.fault(.reset)])) { client, _ async throws in
            let url = try await client.presign(AWSCall("GetObject", .get, path: "/bucket/key"), expiry: .seconds(60))
            let signature = try #require(url.split(separator: "=").last)
            let peer = try HTTPPeer()
            let failure = await #expect(throws: HTTPFailure.self) {
                try await peer.used { _ = try await peer.exchange(HTTPCall(.get, url), limit: 100) }
            }
            let text = "\(try #require(failure))"
            #expect(text.contains("/bucket/key"))
            #expect(!text.contains(signature))
            #expect(!text.contains("hush"))
            #expect(!text.contains("X-Amz-"))
        }
    }

    @Test("the refusals of an emulator that checks hold no secret")
    func strict() async throws {
        try await StrictEmulator.withUser(#"{"Effect":"Deny","Action":"*","Resource":"*"}"#) { user async throws in
            for row in StrictSignatureTests.rows where !row.denied.isEmpty {
                for secret in [user.secret, "hush-wrong-secret"] {
                    let error = await row.refused(try user.client(row.service, secret: secret))
                    expectSecrecy(error, [user.secret], row.testDescription)
                }
            }
        }
    }
}

extension AWSError {
    /// As whoever knows nothing of us prints it.
    fileprivate var localizedText: String {
        let error: any Error = portError
        return "\(error)"
    }
}
