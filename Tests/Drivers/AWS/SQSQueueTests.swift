// The queue on SQS, with answers that no emulator gives.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("A queue on SQS", .timeLimit(.minutes(10)))
struct SQSQueueTests {
    private func run(
        _ standIn: ScriptedStandIn,
        http: HTTPOptions = HTTPOptions(),
        _ body: (SQSQueue, ScriptedStandIn) async throws -> Void
    ) async throws {
        try await AWSWorld.run(.sqs, standIn, http: http, clock: EagerClock()) { client, standIn async throws in
            try await body(SQSQueue(client, name: "q", url: "http://127.0.0.1/1/q"), standIn)
        }
    }

    private func messages(_ count: Int) -> [OutgoingMessage] {
        (0..<count).map { OutgoingMessage(body: Array("m\($0)".utf8)) }
    }

    /// Every entry of a batch is done.
    private static func done(_ asked: ScriptedStandIn.Asked) -> Answer {
        let entries = (try? JSONValue.parse(asked.body))?["Entries"]?.arrayValue ?? []
        let ids = entries.map { #"{"Id":"\#($0["Id"]?.stringValue ?? "")"}"# }
        return Answer(200, #"{"Successful":[\#(ids.joined(separator: ","))]}"#)
    }

    private static func bodies(_ asked: ScriptedStandIn.Asked) throws -> [String] {
        try JSONValue.parse(asked.body)["Entries"]?.arrayValue?.compactMap { $0["MessageBody"]?.stringValue } ?? []
    }

    private static func failed(_ id: Int, _ code: String, sender: Bool, _ message: String = "why") -> String {
        #"{"Id":"\#(id)","Code":"\#(code)","Message":"\#(message)","SenderFault":\#(sender)}"#
    }

    @Test("partial failure of a send: what failed is sent again, and nothing else")
    func partialFailure() async throws {
        let first =
            #"{"Successful":[{"Id":"0"},{"Id":"2"}],"Failed":[\#(Self.failed(1, "InternalError", sender: false))]}"#
        let answers = [Answer(200, first), Answer(200, #"{"Successful":[{"Id":"0"}]}"#)]
        try await run(ScriptedStandIn(answers)) { queue, standIn async throws in
            try await queue.send(messages(3))
            #expect(try standIn.asked.map(Self.bodies) == [["m0", "m1", "m2"], ["m1"]])
        }
    }

    @Test(
        "partial failure that stays is thrown, and told apart",
        arguments: [
            ("InternalError", false, PortError.Code.unavailable, 3), ("RequestThrottled", true, .throttled, 3),
            ("InvalidMessageContents", true, .invalidRequest, 1), ("KmsAccessDenied", true, .unauthorized, 1),
        ]
    )
    func lastingFailure(code: String, sender: Bool, port: PortError.Code, tries: Int) async throws {
        let answer = Answer(200, #"{"Failed":[\#(Self.failed(0, code, sender: sender))]}"#)
        try await run(ScriptedStandIn([answer])) { queue, standIn async throws in
            let error = await #expect(throws: PortError.self) { try await queue.send(messages(1)) }
            #expect(error?.code == port)
            #expect(error?.message.contains(code) ?? false)
            #expect(standIn.asked.count == tries)
        }
    }

    @Test(
        "a stale receipt is ignored, and hinders no other",
        arguments: ["ReceiptHandleIsInvalid", "MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight"]
    )
    func staleReceipt(code: String) async throws {
        let answer = #"{"Successful":[{"Id":"1"}],"Failed":[\#(Self.failed(0, code, sender: true))]}"#
        try await run(ScriptedStandIn([Answer(200, answer)])) { queue, standIn async throws in
            let receipts = [MessageReceipt(token: "stale"), MessageReceipt(token: "good")]
            try await queue.delete(receipts)
            try await queue.changeVisibility(receipts, invisible: .seconds(30))
            #expect(standIn.asked.count == 2)
        }
    }

    @Test(
        "a message that was hidden for as long as SQS lets it hinders no other; a wrong value is told",
        arguments: [
            ("Reason: Total VisibilityTimeout for the message is beyond the limit [43200 seconds].", nil),
            ("Reason: Message does not exist or is not available for visibility timeout change.", nil),
            ("Reason: Must be between 0 and 43200, if provided.", PortError.Code.invalidRequest),
        ]
    )
    func hiddenTooLong(message: String, code: PortError.Code?) async throws {
        let failure = Self.failed(0, "InvalidParameterValue", sender: true, "Value 60 is invalid. \(message)")
        let answer = #"{"Successful":[{"Id":"1"}],"Failed":[\#(failure)]}"#
        try await run(ScriptedStandIn([Answer(200, answer)])) { queue, _ async throws in
            let receipts = [MessageReceipt(token: "old"), MessageReceipt(token: "good")]
            var found: PortError.Code?
            do throws(PortError) {
                try await queue.changeVisibility(receipts, invisible: .seconds(60))
            } catch {
                found = error.code
            }
            #expect(found == code)
        }
    }

    @Test("a message over 1 MiB is refused before anything is sent, with what to do instead")
    func tooLarge() async throws {
        try await run(ScriptedStandIn([])) { queue, standIn async throws in
            let large = OutgoingMessage(body: Array(repeating: 0x61, count: (1 << 20) + 1))
            let error = await #expect(throws: PortError.self) { try await queue.send(messages(1) + [large]) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.message.contains("object store") ?? false)
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test("many messages go in tens, large ones in batches of 1 MiB")
    func batches() async throws {
        try await run(ScriptedStandIn { _, asked in Self.done(asked) }) { queue, standIn async throws in
            try await queue.send(messages(25))
            #expect(try standIn.asked.map { try Self.bodies($0).count }.sorted() == [5, 10, 10])
            let large = OutgoingMessage(body: Array(repeating: 0x61, count: 400_000))
            try await queue.send([large, large, large])
            #expect(try standIn.asked.dropFirst(3).map { try Self.bodies($0).count }.sorted() == [1, 2])
            try await queue.delete((0..<21).map { MessageReceipt(token: "\($0)") })
            let counts = try standIn.asked.dropFirst(5).map {
                try JSONValue.parse($0.body)["Entries"]?.arrayValue?.count ?? 0
            }
            #expect(counts.sorted() == [1, 10, 10])
        }
    }

    /// As many messages as a call asked for, up to so many in all.
    private static func stock(_ asked: ScriptedStandIn.Asked) -> Answer {
        let count = (try? JSONValue.parse(asked.body))?["MaxNumberOfMessages"]?.intValue ?? 0
        let message =
            #"{"ReceiptHandle":"r","Body":"b","Attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"17"}}"#
        return Answer(200, #"{"Messages":[\#(Array(repeating: message, count: count).joined(separator: ","))]}"#)
    }

    @Test("a receive of more than ten is several calls, of which only the first waits")
    func manyReceived() async throws {
        try await run(ScriptedStandIn { _, asked in Self.stock(asked) }) { queue, standIn async throws in
            let received = try await queue.receive(limit: 25, invisible: .milliseconds(1500), wait: .seconds(60))
            #expect(received.count == 25)
            let asked = try standIn.asked.map { try JSONValue.parse($0.body) }
            #expect(asked.map { $0["MaxNumberOfMessages"]?.intValue }.sorted { $0 ?? 0 < $1 ?? 0 } == [5, 10, 10])
            #expect(asked.map { $0["WaitTimeSeconds"]?.intValue } == [20, 0, 0])
            #expect(asked.allSatisfy { $0["VisibilityTimeout"]?.intValue == 2 })
        }
    }

    @Test("what was received before a receive fails is not lost")
    func receivedBeforeFailure() async throws {
        let standIn = ScriptedStandIn { number, asked in number == 1 ? Self.stock(asked) : Answer(403, "{}") }
        try await run(standIn) { queue, _ async throws in
            #expect(try await queue.receive(limit: 25, invisible: .seconds(30), wait: .zero).count == 10)
            let error = await #expect(throws: PortError.self) {
                _ = try await queue.receive(limit: 25, invisible: .seconds(30), wait: .zero)
            }
            #expect(error?.code == .unauthorized)
        }
    }

    @Test("too many messages received and not deleted is too many requests")
    func overLimit() async throws {
        try await run(ScriptedStandIn([Answer(400, #"{"__type":"com.amazonaws.sqs#OverLimit"}"#)])) {
            queue,
            _ async throws in
            let error = await #expect(throws: PortError.self) {
                _ = try await queue.receive(limit: 1, invisible: .seconds(30), wait: .zero)
            }
            #expect(error?.code == .throttled)
        }
    }

    @Test("an endpoint that resets or stalls is tried again", arguments: [ConnectionFault.reset, .stall(nil), .hangUp])
    func brokenEndpoint(fault: ConnectionFault) async throws {
        var http = HTTPOptions()
        // A busy machine may take as long for an answer, and is asked once more then.
        if fault.takesTime { http.stallTimeout = .seconds(10) }
        let standIn = ScriptedStandIn { number, asked in number == 1 ? .fault(fault) : Self.done(asked) }
        try await run(standIn, http: http) { queue, standIn async throws in
            try await queue.send(messages(2))
            let asked = try standIn.asked.map(Self.bodies)
            #expect(asked.count == 2 || fault.takesTime && asked.count > 2)
            #expect(asked.allSatisfy { $0 == ["m0", "m1"] })
        }
    }

    @Test("an endpoint that stays broken leaves open what became of it")
    func lastingReset() async throws {
        try await run(ScriptedStandIn([.fault(.reset)])) { queue, _ async throws in
            let error = await #expect(throws: PortError.self) { try await queue.send(messages(1)) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test("what SQS can't do is refused by name", arguments: [0, 1001])
    func limits(limit: Int) async throws {
        try await run(ScriptedStandIn([])) { queue, standIn async throws in
            await #expect(throws: PortError.self) {
                _ = try await queue.receive(limit: limit, invisible: .seconds(1), wait: .zero)
            }
            await #expect(throws: PortError.self) {
                try await queue.changeVisibility([], invisible: .seconds(12 * 3600 + 1))
            }
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test("a queue that is there with other attributes gets the new ones")
    func setsUpAnew() async throws {
        let exists = Answer(400, #"{"__type":"com.amazonaws.sqs#QueueNameExists","message":"different"}"#)
        let answers = [exists, Answer(200, #"{"QueueUrl":"http://127.0.0.1/1/p-q"}"#), Answer(200, "{}")]
        try await AWSWorld.run(answers) { client, standIn async throws in
            let setup = QueueSetup(name: "q", retention: .seconds(3600))
            let queues = try await SQSQueue.make([setup], prefix: "p-", client)
            #expect(queues.map(\.url) == ["http://127.0.0.1/1/p-q"])
            #expect(queues.map(\.name) == ["q"])
            #expect(standIn.asked.last?.header("X-Amz-Target") == "AmazonSQS.SetQueueAttributes")
            let body = try JSONValue.parse(standIn.asked.last?.body ?? [])
            #expect(body["Attributes"]?["MessageRetentionPeriod"]?.stringValue == "3600")
        }
    }
}
