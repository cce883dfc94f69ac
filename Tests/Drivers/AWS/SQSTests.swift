// SQS's calls, as they go over the wire and come back.
import SluiceCore
import SluiceStandIns
import SluiceTestKit
import Testing

@testable import AWSDriver

@Suite("SQS", .timeLimit(.minutes(10)))
struct SQSTests {
    private let queue = "http://127.0.0.1/000000000000/q"

    private func run(
        _ answers: [Answer],
        _ body: (SQS, ScriptedStandIn) async throws -> Void
    ) async throws {
        try await AWSWorld.run(answers) { client, standIn in try await body(SQS(client), standIn) }
    }

    @Test("a batch is sent with numbered entries, and delays only where there are any")
    func send() async throws {
        let answer = #"{"Successful":[{"Id":"0"},{"Id":"1"}]}"#
        try await run([Answer(200, answer)]) { sqs, standIn async throws in
            let failures = try await sqs.send([("a\"ü\n", 0), ("b", 5)], to: queue)
            #expect(failures.isEmpty)
            let asked = try #require(standIn.asked.first)
            #expect(asked.header("X-Amz-Target") == "AmazonSQS.SendMessageBatch")
            #expect(asked.header("Content-Type") == "application/x-amz-json-1.0")
            let expected: JSONValue = [
                "QueueUrl": .string(queue),
                "Entries": [
                    ["MessageBody": "a\"ü\n", "Id": "0"], ["MessageBody": "b", "DelaySeconds": 5, "Id": "1"],
                ],
            ]
            #expect(try JSONValue.parse(asked.body) == expected)
        }
    }

    @Test("each entry that failed is told, and each that the answer leaves out")
    func failures() async throws {
        let failed = #"{"Id":"2","Code":"InvalidMessageContents","Message":"no","SenderFault":true}"#
        let answer = #"{"Successful":[{"Id":"1"}],"Failed":[\#(failed),{"Id":"3"},{"Id":"x"}]}"#
        try await run([Answer(200, answer)]) { sqs, _ async throws in
            let failures = try await sqs.delete(["a", "b", "c", "d"], from: queue)
            let expected = [
                SQS.Failure(
                    index: 0,
                    code: "Unmentioned",
                    message: "the answer does not mention the entry",
                    isSenderFault: false
                ),
                SQS.Failure(index: 2, code: "InvalidMessageContents", message: "no", isSenderFault: true),
                SQS.Failure(index: 3, code: "Unknown", message: "", isSenderFault: false),
            ]
            #expect(failures == expected)
        }
    }

    @Test("an empty batch is not sent")
    func empty() async throws {
        try await run([]) { sqs, standIn async throws in
            #expect(try await sqs.send([], to: queue).isEmpty)
            #expect(try await sqs.delete([], from: queue).isEmpty)
            #expect(try await sqs.changeVisibility([], of: queue, seconds: 0).isEmpty)
            #expect(standIn.asked.isEmpty)
        }
    }

    @Test("messages come with receipt, receive count and time of sending, or not at all")
    func receive() async throws {
        let message =
            #"{"ReceiptHandle":"r","Body":"b","Attributes":{"ApproximateReceiveCount":"2","SentTimestamp":"17"}}"#
        let answers = [
            Answer(200, #"{"Messages":[\#(message)]}"#), Answer(200, "{}"), Answer(200, ""),
            Answer(200, #"{"Messages":[{}]}"#),
        ]
        try await run(answers) { sqs, standIn async throws in
            let receive = { () async throws(AWSError) in
                try await sqs.receive(from: queue, limit: 10, invisibleSeconds: 30, waitSeconds: 20)
            }
            let sentAt = Timestamp(milliseconds: 17)
            #expect(try await receive() == [SQS.Message(receipt: "r", body: "b", receiveCount: 2, sentAt: sentAt)])
            #expect(try await receive().isEmpty)
            #expect(try await receive().isEmpty)
            let error = await #expect(throws: AWSError.self) { _ = try await receive() }
            #expect(error?.kind == .invalidAnswer)
            let asked = try #require(standIn.asked.first)
            #expect(try JSONValue.parse(asked.body)["WaitTimeSeconds"]?.intValue == 20)
        }
    }

    @Test(
        "a receive that waits has time for it, however short the time for answers is",
        arguments: [(20, 30), (1, 11)]
    )
    func receiveTimeout(wait: Int, seconds: Int) {
        let call = SQS.receiveCall("ReceiveMessage", queue, 10, invisibleSeconds: 30, waitSeconds: wait)
        #expect(call.timeout == .seconds(seconds))
        let atOnce = SQS.receiveCall("ReceiveMessage", queue, 10, invisibleSeconds: 30, waitSeconds: 0)
        #expect(atOnce.timeout == nil)
    }

    @Test("a queue is found by its name, or is named as missing")
    func queueURL() async throws {
        let missing = Answer(
            400,
            #"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#,
            headers: [("x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender")]
        )
        let answers = [Answer(200, #"{"QueueUrl":"\#(queue)"}"#), missing, Answer(200, "{}"), Answer(200, "[")]
        try await run(answers) { sqs, _ async throws in
            #expect(try await sqs.url(ofQueue: "q") == queue)
            let absent = await #expect(throws: AWSError.self) { _ = try await sqs.url(ofQueue: "q") }
            #expect(absent?.portError.code == .notFound)
            for _ in 0..<2 {
                let error = await #expect(throws: AWSError.self) { _ = try await sqs.url(ofQueue: "q") }
                #expect(error?.kind == .invalidAnswer)
            }
        }
    }

    @Test("attributes are texts by name")
    func attributes() async throws {
        let answers = [Answer(200, #"{"Attributes":{"ApproximateNumberOfMessages":"7"}}"#), Answer(200, "{}")]
        try await run(answers) { sqs, _ async throws in
            let names = ["ApproximateNumberOfMessages"]
            #expect(try await sqs.attributes(of: queue, names) == ["ApproximateNumberOfMessages": "7"])
            #expect(try await sqs.attributes(of: queue, names).isEmpty)
        }
    }
}
