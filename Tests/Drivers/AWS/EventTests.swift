// Events in the forms that AWS documents, whole and broken.
import AWSDriver
import SluiceCore
import Testing

@Suite("Events that AWS calls functions with")
struct EventTests {
    private static let now = Timestamp(milliseconds: 1_790_000_000_000)

    private static func sqs(_ id: String, _ body: String, attributes: String = "") -> String {
        #"{"messageId":"\#(id)","receiptHandle":"handle-\#(id)","body":\#(body),"attributes":{\#(attributes)},"#
            + #""messageAttributes":{},"md5OfBody":"x","eventSource":"aws:sqs","eventSourceARN":"arn:q"}"#
    }

    @Test("a batch of messages, with how often and since when they have been tried")
    func messages() throws {
        let attributes = #""ApproximateReceiveCount":"3","SentTimestamp":"1789999999000","SenderId":"x""#
        let text =
            #"{"Records":[\#(Self.sqs("a", #""{\"v\":1}""#, attributes: attributes)),\#(Self.sqs("b", #""base64:AAE=""#))]}"#
        let event = try SQSEvent(Array(text.utf8), now: Self.now)
        #expect(event.records.map(\.messageID) == ["a", "b"])
        let messages = event.messages
        #expect(messages.map(\.body) == [Array(#"{"v":1}"#.utf8), [0, 1]])
        #expect(messages.map(\.receiveCount) == [3, 1])
        #expect(messages.map(\.sentAt.milliseconds) == [1_789_999_999_000, Self.now.milliseconds])
        #expect(messages.map(\.receipt.token) == ["handle-a", "handle-b"])
        let answer = event.answer(again: [MessageReceipt(token: "handle-b")])
        #expect(String(decoding: answer, as: UTF8.self) == #"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#)
        #expect(String(decoding: event.answer(again: []), as: UTF8.self) == #"{"batchItemFailures":[]}"#)
    }

    @Test(
        "what is no batch of messages is refused as a whole",
        arguments: [
            "", "[]", "{}", #"{"Records":{}}"#, #"{"Records":[{"messageId":"a"}]}"#, #"{"Records":[1"#,
            #"{"Records":[7]}"#,
        ]
    )
    func noMessages(text: String) {
        #expect(throws: AWSEventError.self) { _ = try SQSEvent(Array(text.utf8), now: Self.now) }
    }

    private static func change(_ number: String, _ images: String) -> String {
        #"{"eventID":"1","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"r","#
            + #""dynamodb":{"ApproximateCreationDateTime":1789999999,"#
            + #""Keys":{"pk":{"S":"a"},"sk":{"S":"i#\#(number)"}},\#(images)"SequenceNumber":"\#(number)","SizeBytes":1,"#
            + #""StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:t"}"#
    }

    @Test("a batch of changes with images before and after, sets among them")
    func changes() throws {
        let images =
            #""OldImage":{"s":{"S":"paused"}},"NewImage":{"s":{"S":"pending"},"f":{"SS":["x","y"]},"n":{"N":"8"}},"#
        let text = #"{"Records":[\#(Self.change("11", images)),\#(Self.change("12", ""))]}"#
        let event = try StreamEvent(Array(text.utf8), of: Job.schema)
        #expect(event.unreadable.isEmpty)
        #expect(event.changes.map(\.key) == [ItemKey("a", "i#11"), ItemKey("a", "i#12")])
        #expect(event.changes.first?.old == ["s": .string("paused")])
        let new: AttributeMap = ["s": .string("pending"), "f": .list([.string("x"), .string("y")]), "n": .int(8)]
        #expect(event.changes.first?.new == new)
        #expect(event.changes.last?.new == nil)
        #expect(
            String(decoding: event.answer(again: [1]), as: UTF8.self)
                == #"{"batchItemFailures":[{"itemIdentifier":"12"}]}"#
        )
    }

    @Test(
        "a change that makes no sense leaves the others alone",
        arguments: [
            "7", "{}", #"{"dynamodb":{"Keys":{"pk":{"X":"a"}},"SequenceNumber":"1"}}"#,
            #"{"dynamodb":{"Keys":{"pk":{"S":"a"},"sk":{"S":"b"}}}}"#,
        ]
    )
    func oneUnreadable(record: String) throws {
        let text = #"{"Records":[\#(record),\#(Self.change("12", ""))]}"#
        let event = try StreamEvent(Array(text.utf8), of: Job.schema)
        #expect(event.unreadable.count == 1)
        #expect(event.changes.map(\.key) == [ItemKey("a", "i#12")])
    }

    @Test(
        "what is no batch of changes is refused as a whole",
        arguments: ["", "[]", "{}", #"{"Records":{}}"#, #"{"Records":[{}"#]
    )
    func noChanges(text: String) {
        #expect(throws: AWSEventError.self) { _ = try StreamEvent(Array(text.utf8), of: Job.schema) }
    }
}
