// What a client sends, and what it makes of answers good and bad.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("A call to AWS", .timeLimit(.minutes(10)))
struct ClientTests {
    private static let throttled = Answer(400, #"{"__type":"com.amazon#ThrottlingException","message":"slower"}"#)

    @Test(
        "it arrives with the path and the host that were signed",
        arguments: ["/", "//a//b/", "/a%2Fb/../%2B", "/%C3%BC ~"]
    )
    func wire(path: String) async throws {
        let path = path.split(separator: " ").joined()
        try await AWSWorld.run(.s3, ScriptedStandIn([Answer(200, "fine")]), basePath: "/base") { client, standIn in
            var call = AWSCall("PutObject", .put, path: path, body: HTTPBody(Array("bytes".utf8)))
            call.query = [("b", "1+ü"), ("a", "")]
            call.headers = [("X-Amz-Meta-Note", "a  b")]
            let answer = try await client.send(call)
            #expect(answer.body == Array("fine".utf8))
            let asked = try #require(standIn.asked.first)
            #expect(asked.target == "/base\(path)?a=&b=1%2B%C3%BC")
            #expect(asked.text == "bytes")
            let request = SignableRequest(
                "PUT",
                host: asked.header("Host") ?? "",
                path: asked.path,
                query: call.query,
                headers: call.headers
            )
            let payload = asked.body.withUnsafeBytes { AWSSigner.Payload.signed($0) }
            let credentials = try AWSWorld.credentials()
            let signer = AWSSigner(service: "s3", region: "eu-west-1")
            let signed = signer.sign(request, payload: payload, credentials: credentials, at: ManualClock().now)
            for header in signed.headers { #expect(asked.header(header.name) == header.value) }
        }
    }

    @Test("an error is told with code, status and request id, in JSON and in XML")
    func errors() async throws {
        let json = Answer(
            400,
            #"{"__type":"com.amazonaws.dynamodb#ResourceNotFoundException","message":"no\ntable"}"#,
            headers: [("x-amzn-RequestId", "R1")]
        )
        let typed = Answer(403, "{}", headers: [("x-amzn-ErrorType", "AccessDeniedException:http://x/")])
        let xml = Answer(
            404,
            "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>a &amp; b</Message></Error>"
        )
        let form = Answer(403, "<R xmlns=\"x\"><Error><Type/><Code>X</Code></Error><RequestId>R2</RequestId></R>")
        let cases: [(Answer, String, String?, PortError.Code)] = [
            (json, "ResourceNotFoundException", "R1", .notFound), (typed, "AccessDeniedException", nil, .unauthorized),
            (xml, "NoSuchKey", nil, .notFound), (form, "X", "R2", .unauthorized),
            (Answer(404), "NotFound", nil, .notFound),
        ]
        for (answer, code, id, port) in cases {
            let error = try await failure([answer])
            #expect(error.kind == .refused)
            #expect(error.code == code)
            #expect(error.requestID == id)
            #expect(error.status == answer.status)
            #expect(error.portError.code == port)
            #expect(error.tries == 1)
            #expect(!error.outcomeUnknown)
            #expect(!"\(error)".contains("\n"))
        }
    }

    @Test("what may pass is tried three times", arguments: [500, 502, 503, 504])
    func transient(status: Int) async throws {
        let error = try await failure([Answer(status, "<html>")], requests: 3)
        #expect(error.tries == 3)
        #expect(error.portError.code == .unavailable)
        #expect(error.outcomeUnknown)
        try await AWSWorld.run([Answer(status), Answer(200, "at last")]) { client, standIn in
            let answer = try await client.send(AWSCall("Test"))
            #expect(answer.body == Array("at last".utf8))
            #expect(standIn.asked.count == 2)
            #expect(client.retryTokensLeft == 500)
        }
    }

    @Test("throttling is tried again, and was certainly not done")
    func throttling() async throws {
        let error = try await failure([Self.throttled], requests: 3)
        #expect(error.isThrottling)
        #expect(!error.outcomeUnknown)
        #expect(error.portError.code == .throttled)
    }

    @Test("a transaction that is still under way may have been done")
    func unfinished() async throws {
        let error = try await failure([Answer(400, #"{"__type":"x#TransactionInProgressException"}"#)], requests: 3)
        #expect(error.outcomeUnknown)
        #expect(error.portError.code == .unavailable)
    }

    @Test("what an earlier try may have done is not forgotten by a later answer")
    func earlier() async throws {
        let conditional = Answer(400, #"{"__type":"x#ConditionalCheckFailedException"}"#)
        let error = try await failure([.fault(.reset), conditional], requests: 2)
        #expect(error.code == "ConditionalCheckFailedException")
        #expect(error.earlierOutcomeUnknown)
        #expect(error.portError.code == .unavailable)
        #expect(try await failure([conditional]).portError.code == .conditionFailed)
    }

    @Test("what will never do is not tried again", arguments: [400, 401, 403, 404, 409, 412, 304])
    func final(status: Int) async throws {
        let error = try await failure([Answer(status, "{}")], requests: 1)
        #expect(!error.isRetryable)
    }

    @Test("a call that must not be repeated is sent once")
    func once() async throws {
        try await AWSWorld.run([Answer(500)]) { client, standIn in
            var call = AWSCall("Test")
            call.tries = 1
            await #expect(throws: AWSError.self) { _ = try await client.send(call) }
            #expect(standIn.asked.count == 1)
        }
    }

    @Test("connections that reset, end or say nonsense are faults of the peer with an unknown outcome")
    func connections() async throws {
        for fault in [ConnectionFault.reset, .hangUp, .cut(afterBytes: 2)] {
            let error = try await failure([Answer(200, "body", fault: fault)], requests: 3)
            #expect(error.kind == .noAnswer)
            #expect(error.outcomeUnknown)
            #expect(error.portError.code == .unavailable)
        }
        let error = try await failure([.fault(.raw(Array("nonsense\r\n\r\n".utf8)))], requests: 1)
        #expect(error.kind == .invalidAnswer)
    }

    @Test("a peer that stalls ends by the time-out, each try at double cost")
    func stall() async throws {
        var options = HTTPOptions()
        options.stallTimeout = .milliseconds(150)
        let standIn = ScriptedStandIn([.fault(.stall(nil))])
        try await AWSWorld.run(.sqs, standIn, http: options) { client, _ in
            let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
            #expect(error?.kind == .timedOut)
            #expect(error?.portError.code == .timedOut)
            #expect(error?.tries == 3)
            #expect(client.retryTokensLeft == 480)
        }
    }

    @Test("nobody listening is certainly unseen")
    func unreachable() async throws {
        let url = try await withServer(ScriptedStandIn([])) { $0 }
        let peer = try HTTPPeer()
        let client = AWSClient(
            .sqs,
            region: "eu-west-1",
            endpoint: try AWSEndpoint(url, setting: "endpoint"),
            credentials: RenewingCredentials(FixedCredentials(try AWSWorld.credentials()), clock: ManualClock()),
            peer: peer,
            policy: RetryPolicy(base: .zero)
        )
        let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
        #expect(error?.kind == .unreachable)
        #expect(error?.outcomeUnknown == false)
        #expect(error?.isRetryable == true)
        await peer.shutdown()
    }

    @Test("an answer over its limit is no answer to use, and is not fetched again")
    func tooLarge() async throws {
        try await AWSWorld.run([Answer(200, String(repeating: "x", count: 5000))]) { client, standIn in
            let error = await #expect(throws: AWSError.self) {
                _ = try await client.send(AWSCall("Test"), bodyMax: 4999)
            }
            #expect(error?.kind == .invalidAnswer)
            #expect(standIn.asked.count == 1)
            let answer = try await client.send(AWSCall("Test"), bodyMax: 5000)
            #expect(answer.body.count == 5000)
        }
    }

    @Test("a body that is handed out as it comes is not begun again, and one that had not begun is")
    func streamed() async throws {
        let cut = Answer(200, "0123456789", fault: .cut(afterBytes: 4))
        try await AWSWorld.run([Answer(503), cut]) { client, standIn in
            var body: [UInt8] = []
            let error = await #expect(throws: AWSError.self) {
                _ = try await client.stream(AWSCall("Test")) { _, bytes in
                    body += bytes
                    return .more
                }
            }
            #expect(error?.kind == .noAnswer)
            #expect(body == Array("0123".utf8))
            #expect(standIn.asked.count == 2)
        }
    }

    @Test("a body that was cut is fetched again from its beginning")
    func refetched() async throws {
        try await AWSWorld.run([Answer(200, "abcdef", fault: .cut(afterBytes: 3)), Answer(200, "abcdef")]) {
            client,
            _ in
            let answer = try await client.send(AWSCall("Test"))
            #expect(answer.body == Array("abcdef".utf8))
        }
    }

    @Test("a cancelled call says so, and that it may have been done")
    func cancelled() async throws {
        let standIn = ScriptedStandIn([.fault(.stall(nil))])
        try await AWSWorld.run(.sqs, standIn) { client, standIn in
            let error = await withTaskGroup(of: AWSError?.self) { group in
                group.addTask {
                    do throws(AWSError) {
                        _ = try await client.send(AWSCall("Test"))
                        return nil
                    } catch {
                        return error
                    }
                }
                while standIn.asked.isEmpty { await Task.yield() }
                group.cancelAll()
                return await group.next() ?? nil
            }
            #expect(error?.kind == .cancelled)
            #expect(error?.outcomeUnknown == true)
            #expect(error?.portError.code == .cancelled)
        }
    }

    private func failure(_ answers: [Answer], requests: Int? = nil) async throws -> AWSError {
        var found: AWSError?
        try await AWSWorld.run(answers) { client, standIn in
            found = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
            if let requests { #expect(standIn.asked.count == requests) }
        }
        return try #require(found)
    }
}
