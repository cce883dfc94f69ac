// A batch of SQS messages, as Lambda hands it to a function.
package import SluiceCore

/// The messages of one event, with what names each in the answer.
package struct SQSEvent: Sendable {
    package struct Record: Sendable {
        package let messageID: String
        package let message: ReceivedMessage
    }

    package private(set) var records: [Record] = []

    /// Reads an event.
    ///
    /// - Parameters:
    ///   - bytes: JSON.
    ///   - now: when messages count as sent that don't say.
    /// - Throws: `AWSEventError` if it is no batch of SQS; no message of it can be told from the others then.
    package init(_ bytes: [UInt8], now: Timestamp) throws(AWSEventError) {
        let event: JSONValue
        do {
            event = try JSONValue.parse(bytes)
        } catch {
            throw AWSEventError("the event is no JSON: \(error)")
        }
        guard let list = event["Records"]?.arrayValue else { throw AWSEventError("the event has no Records") }
        for value in list {
            guard let id = value["messageId"]?.stringValue, let handle = value["receiptHandle"]?.stringValue,
                let body = value["body"]?.stringValue
            else { throw AWSEventError("a record lacks its messageId, receiptHandle or body: this is no event of SQS") }
            let attributes = value["attributes"]
            let count = attributes?["ApproximateReceiveCount"]?.stringValue.flatMap { Int($0) }
            let sent = attributes?["SentTimestamp"]?.stringValue.flatMap { Int64($0) }
            let message = ReceivedMessage(
                receipt: MessageReceipt(token: handle),
                body: MessageText.bytes(of: body),
                receiveCount: max(1, count ?? 1),
                sentAt: sent.map { Timestamp(milliseconds: $0) } ?? now
            )
            records.append(Record(messageID: id, message: message))
        }
    }

    package var messages: [ReceivedMessage] { records.map(\.message) }

    /// The answer after which SQS keeps the messages that have to come again, and deletes the others.
    package func answer(again: Set<MessageReceipt>) -> [UInt8] {
        BatchAnswer.bytes(failed: records.filter { again.contains($0.message.receipt) }.map(\.messageID))
    }
}
