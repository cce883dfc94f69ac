// When a call is tried again, how long is waited, and what is mended before.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("Trying again", .timeLimit(.minutes(10)))
struct RetryTests {
    private let random = SeededRandomSource(seed: 7)

    @Test("the wait is a share of one that doubles up to twenty seconds")
    func backoff() {
        let policy = RetryPolicy()
        for (tries, most) in [(1, 1), (2, 2), (3, 4), (5, 16), (6, 20), (60, 20)] {
            let waits = (0..<200).map { _ in policy.wait(after: tries, asked: nil, random: random) }
            #expect(waits.allSatisfy { $0 >= .zero && $0 < .seconds(most) })
            #expect(waits.max() ?? .zero > .seconds(most) * 0.9)
            #expect(waits.min() ?? .seconds(20) < .seconds(most) * 0.1)
        }
    }

    @Test("what the service asks for is waited, but not longer than the longest")
    func asked() {
        let policy = RetryPolicy()
        #expect(policy.wait(after: 1, asked: .seconds(7), random: random) == .seconds(7))
        #expect(policy.wait(after: 1, asked: .seconds(90), random: random) == .seconds(20))
    }

    @Test(
        "Retry-After and AWS's own header are told and waited for",
        arguments: [("Retry-After", "7", 7000), ("x-amz-retry-after", "1500", 1500)]
    )
    func header(name: String, value: String, milliseconds: Int64) async throws {
        let clock = ManualClock()
        let start = clock.now
        let answers = [Answer(503, "", headers: [(name, value)]), Answer(200)]
        try await AWSWorld.run(answers, clock: clock) { client, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await client.send(AWSCall("Test")) }
                try await clock.sleepers(atLeast: 1)
                #expect(clock.nextDeadline == start.advanced(by: .milliseconds(milliseconds)))
                clock.advanceToNextDeadline()
                try await group.waitForAll()
            }
        }
    }

    @Test("cancelling ends the wait, and remembers that the try before may have been done")
    func cancelledWait() async throws {
        let clock = ManualClock()
        try await AWSWorld.run([Answer(503, "", headers: [("Retry-After", "7")])], clock: clock) { client, _ in
            let error = try await withThrowingTaskGroup(of: AWSError?.self) { group in
                group.addTask {
                    do throws(AWSError) {
                        _ = try await client.send(AWSCall("Test"))
                        return nil
                    } catch {
                        return error
                    }
                }
                try await clock.sleepers(atLeast: 1)
                group.cancelAll()
                return try await group.next() ?? nil
            }
            #expect(error?.kind == .cancelled)
            #expect(error?.outcomeUnknown == true)
        }
    }

    @Test("when the budget is spent nothing is tried again, and successes fill it slowly")
    func budget() async throws {
        let standIn = ScriptedStandIn { _, asked in Answer(asked.path == "/bad" ? 500 : 200) }
        try await AWSWorld.run(.sqs, standIn) { client, standIn in
            let bad = AWSCall("Test", path: "/bad")
            for _ in 0..<50 { await #expect(throws: AWSError.self) { _ = try await client.send(bad) } }
            #expect(client.retryTokensLeft == 0)
            #expect(standIn.asked.count == 150)
            await #expect(throws: AWSError.self) { _ = try await client.send(bad) }
            #expect(standIn.asked.count == 151)
            for _ in 0..<4 { _ = try await client.send(AWSCall("Test")) }
            await #expect(throws: AWSError.self) { _ = try await client.send(bad) }
            #expect(standIn.asked.count == 156)
            _ = try await client.send(AWSCall("Test"))
            await #expect(throws: AWSError.self) { _ = try await client.send(bad) }
            #expect(standIn.asked.count == 159)
        }
    }

    @Test("tokens never exceed their capacity, and time-outs cost double")
    func tokens() {
        let tokens = RetryTokens()
        var error = AWSError(.timedOut, service: "S", operation: "O", message: "m")
        #expect(tokens.spend(for: error) == 10)
        error.kind = .noAnswer
        #expect(tokens.spend(for: error) == 5)
        #expect(tokens.count == 485)
        tokens.giveBack(10)
        tokens.giveBack(nil)
        #expect(tokens.count == 496)
        tokens.giveBack(10)
        #expect(tokens.count == 500)
    }

    @Test(
        "a clock that is ten minutes off is corrected from the answer's Date, once for all calls",
        arguments: [-600, 600]
    )
    func skew(seconds: Int) async throws {
        let clock = ManualClock()
        let theirs = clock.now.advanced(by: .seconds(seconds))
        let refusal = Self.skewed(theirs)
        let standIn = ScriptedStandIn { _, asked in
            asked.header("X-Amz-Date") == SigningTime(theirs).stamp ? Answer(200) : refusal
        }
        try await AWSWorld.run(.sqs, standIn, policy: RetryPolicy(triesMax: 1), clock: clock) { client, standIn in
            _ = try await client.send(AWSCall("Test"))
            #expect(standIn.asked.count == 2)
            _ = try await client.send(AWSCall("Test"))
            #expect(standIn.asked.count == 3)
            #expect(client.retryTokensLeft == 500)
            let url = try await client.presign(AWSCall("Test", .get), expiry: .seconds(60))
            #expect(url.contains("X-Amz-Date=\(SigningTime(theirs).stamp)"))
        }
    }

    @Test("a clock that is right, or that a correction does not mend, is no reason to go on")
    func wrongSignature() async throws {
        for (seconds, requests) in [(100, 1), (600, 2)] {
            let clock = ManualClock()
            let answers = [Self.skewed(clock.now.advanced(by: .seconds(seconds)))]
            try await AWSWorld.run(answers, clock: clock) { client, standIn in
                let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
                #expect(error?.code == "InvalidSignatureException")
                #expect(error?.portError.code == .unauthorized)
                #expect(standIn.asked.count == requests)
            }
        }
    }

    @Test("credentials that the service finds expired are renewed, once")
    func expired() async throws {
        let answer = Answer(400, #"{"__type":"x#ExpiredTokenException","message":"The security token expired"}"#)
        for (isMended, requests) in [(true, 2), (false, 2)] {
            let provider = CountingProvider { number throws(AWSProblem) in
                try AWSCredentials(accessKeyID: "KEY\(number)", secretAccessKey: "s", sessionToken: "t")
            }
            let standIn = ScriptedStandIn { _, asked in
                let isNew = asked.header("Authorization")?.contains("Credential=KEY2/") == true
                return isMended && isNew ? Answer(200) : answer
            }
            try await AWSWorld.run(.sqs, standIn, credentials: provider) { client, standIn in
                if isMended {
                    _ = try await client.send(AWSCall("Test"))
                } else {
                    let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
                    #expect(error?.code == "ExpiredTokenException")
                    #expect(error?.description.contains("the credentials have expired: get new ones") == true)
                }
                #expect(standIn.asked.count == requests)
                #expect(provider.asked == 2)
            }
        }
    }

    @Test("without credentials nothing is sent, and the error says where they were looked for")
    func missing() async throws {
        let chain = CredentialChain([EnvironmentCredentials(AWSWorld.environment([:]))])
        try await AWSWorld.run(.sqs, ScriptedStandIn([]), credentials: chain) { client, standIn in
            let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("SendMessage")) }
            #expect(error?.kind == .credentials)
            #expect(error?.portError.code == .unauthorized)
            #expect(error?.description == "SQS SendMessage: no AWS credentials are set up here; looked in: environment")
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test("a wrong region is told with what to check, and with the bucket's own")
    func region() async throws {
        let xml = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'a' is wrong</Message></Error>"
        let answer = Answer(400, xml, headers: [("x-amz-bucket-region", "eu-north-1")])
        try await AWSWorld.run([answer]) { client, _ in
            let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("GetObject")) }
            #expect(error?.description.contains("the bucket is in eu-north-1") == true)
            #expect(error?.description.contains("check the region (AWS_REGION)") == true)
        }
    }

    @Test("a service that repeats our secrets does not get them into an error")
    func secrets() async throws {
        let words =
            "token \(AWSWorld.token) and \(AWSWorld.secret). The Canonical String for this request should have been hush"
        let body: JSONValue = ["__type": "x#InvalidSignatureException", "message": .string(words)]
        try await AWSWorld.run([Answer(403, body.description)]) { client, _ in
            let error = await #expect(throws: AWSError.self) { _ = try await client.send(AWSCall("Test")) }
            #expect(error?.message == "token (secret) and (secret). ")
            AWSWorld.expectNoSecret(in: try #require(error))
            AWSWorld.expectNoSecret(in: try #require(error?.portError))
        }
    }

    private static func skewed(_ theirs: Timestamp) -> Answer {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let civil = theirs.civil
        let time = [civil.hour, civil.minute, civil.second].map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
        let date = "Mon, \(civil.day < 10 ? "0" : "")\(civil.day) \(months[civil.month - 1]) \(civil.year) \(time) GMT"
        // The server under the stand-in writes a Date of its own, so this answer goes below it.
        let body = #"{"__type":"x#InvalidSignatureException"}"#
        let head = "HTTP/1.1 403 No\r\nDate: \(date)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
        return .fault(.raw(Array((head + body).utf8)))
    }
}
