// Signatures, clocks and permissions at an emulator that checks them.
import HTTPDriver
import SluiceCore
import Synchronization
import Testing

@testable import AWSDriver

@Suite("Signatures at a strict emulator", .timeLimit(.minutes(10)))
struct StrictSignatureTests {
    /// A service, one call of it, and what it calls a signature that is not right.
    struct Row: Sendable, CustomTestStringConvertible {
        let service: AWSService
        let call: AWSCall
        let wrongSignature: String
        let denied: String
        /// Only S3 tells a wrong time from a wrong signature.
        var skewed: String { service == .s3 ? "RequestTimeTooSkewed" : wrongSignature }

        var testDescription: String { "\(service.name) \(call.operation)" }

        /// Sends the call and gives what it fails with.
        func refused(_ client: AWSClient) async -> AWSError? {
            do {
                _ = try await client.send(call)
                return nil
            } catch {
                return error
            }
        }
    }

    private static let identity: AWSCall = {
        var call = AWSCall(
            "GetCallerIdentity",
            body: HTTPBody(Array("Action=GetCallerIdentity&Version=2011-06-15".utf8))
        )
        call.headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        return call
    }()

    static let rows = [
        Row(
            service: .dynamoDB,
            call: AWSJSONProtocol.dynamoDB.call("ListTables", Array("{}".utf8)),
            wrongSignature: "InvalidSignatureException",
            denied: "AccessDeniedException"
        ),
        Row(
            service: .sqs,
            call: AWSJSONProtocol.sqs.call("ListQueues", Array("{}".utf8)),
            wrongSignature: "SignatureDoesNotMatch",
            denied: "AccessDeniedException"
        ),
        Row(
            service: .s3,
            call: AWSCall("ListBuckets", .get),
            wrongSignature: "SignatureDoesNotMatch",
            denied: "AccessDenied"
        ),
        Row(
            service: .lambda,
            call: AWSCall("ListFunctions", .get, path: "/2015-03-31/functions/"),
            wrongSignature: "InvalidSignatureException",
            denied: "AccessDeniedException"
        ),
        Row(service: .sts, call: identity, wrongSignature: "SignatureDoesNotMatch", denied: ""),
    ]

    @Test("a user's calls are let in", arguments: rows)
    func right(row: Row) async throws {
        try await StrictEmulator.withUser { user async throws in
            #expect(await row.refused(try user.client(row.service)) == nil)
        }
    }

    @Test("STS takes us for the user that signs")
    func identified() async throws {
        try await StrictEmulator.withUser { user async throws in
            let arn = try await STS(user.client(.sts)).callerIdentity().arn
            #expect(arn.hasSuffix(":user/\(user.name)"))
        }
    }

    @Test("a wrong secret is told with what to check, and is not tried again", arguments: rows)
    func wrongSecret(row: Row) async throws {
        try await StrictEmulator.withUser { user async throws in
            let error = await row.refused(try user.client(row.service, secret: "hush-wrong-secret"))
            #expect(error?.code == row.wrongSignature)
            #expect(error?.portError.code == .unauthorized)
            #expect(error?.tries == 1)
            #expect(error?.description.contains("check that the secret belongs to the access key") == true)
        }
    }

    @Test("a call that was changed on its way is refused", arguments: rows)
    func tampered(row: Row) async throws {
        try await StrictEmulator.withUser { user async throws in
            let client = try user.client(row.service)
            var signable = client.signable(row.call)
            let payload = row.call.body?.withBytes { AWSSigner.Payload.signed($0) } ?? .none
            let moment = client.clock.now
            let headers = client.signer.sign(
                signable,
                payload: payload,
                credentials: try user.credentials(),
                at: moment
            )
            signable.query.append(("x", "1"))
            let url = "\(user.url)\(signable.path)?\(signable.canonicalQuery)"
            let call = HTTPCall(row.call.method, url, headers: row.call.headers + headers.headers, body: row.call.body)
            let (reply, body) = try await user.peer.exchange(call, limit: 1 << 16)
            let said = AWSErrorBody(body).code
            #expect([400, 403].contains(reply.status))
            #expect(said == row.wrongSignature)
        }
    }

    /// The emulator, as AWS, lets signatures of Lambda be 5 minutes off, and those of the others 15.
    @Test("a clock that is off is mended once for all calls", arguments: rows, [-1, 1])
    func clock(row: Row, sign: Int) async throws {
        try await StrictEmulator.withUser { user async throws in
            let minutes = row.service == .lambda ? 10 : 20
            let off = Duration.seconds(sign * minutes * 60)
            let client = try user.client(row.service, clock: ShiftedClock(off: off))
            for _ in 0..<2 { #expect(await row.refused(client) == nil) }
            let left = client.now.duration(to: WallClock().now)
            #expect(max(left, .zero - left) < .seconds(60))
        }
    }

    @Test("ten minutes are no trouble for services that take fifteen", arguments: rows.filter { $0.service != .lambda })
    func smallSkew(row: Row) async throws {
        try await StrictEmulator.withUser { user async throws in
            let client = try user.client(row.service, clock: ShiftedClock(off: .seconds(-600)))
            #expect(await row.refused(client) == nil)
            #expect(client.now < WallClock().now.advanced(by: .seconds(-300)))
        }
    }

    @Test("a clock that goes on running away is not mended twice, and is told", arguments: rows)
    func runaway(row: Row) async throws {
        try await StrictEmulator.withUser { user async throws in
            let error = await row.refused(try user.client(row.service, clock: RunawayClock()))
            #expect(error?.code == row.skewed)
            #expect(error?.tries == 2)
            #expect(error?.portError.code == .unauthorized)
            #expect(error?.description.contains("this machine's clock") == true)
        }
    }

    @Test(
        "what a policy denies is told as denied, and is not tried again",
        arguments: rows.filter { !$0.denied.isEmpty }
    )
    func denied(row: Row) async throws {
        let deny = #"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*"}"#
        try await StrictEmulator.withUser(deny) { user async throws in
            let error = await row.refused(try user.client(row.service))
            #expect(error?.code == row.denied)
            #expect(error?.portError.code == .unauthorized)
            #expect(error?.tries == 1)
            #expect(error?.message.contains(user.name) == true)
        }
    }
}

/// Time that is half an hour further away whenever it is asked for.
private final class RunawayClock: Timekeeping {
    private let off = Mutex(Duration.zero)

    var now: Timestamp {
        let off = off.withLock { off in
            off += .seconds(1800)
            return off
        }
        return WallClock().now.advanced(by: off)
    }
    var minimumResolution: Duration { .milliseconds(1) }

    func sleep(until deadline: Timestamp, tolerance: Duration?) async throws {
        try Task.checkCancellation()
    }
}
