// The Simple Queue Service: batches of messages out, in, and done with.
internal import HTTPDriver
package import SluiceCore

/// SQS by its JSON protocol.
///
/// Batches have up to 10 entries and fail entry by entry: a call that returns may have failures in it. Copies share the client.
package struct SQS: Sendable {
    /// The most entries of a batch, and the most messages of a receive.
    package static let batchMax = 10
    /// The most bytes of all bodies and attributes of a batch, and of one message.
    package static let batchBytesMax = 1 << 20

    /// An entry of a batch that was not done.
    package struct Failure: Sendable, Equatable {
        /// Which entry.
        package let index: Int
        package let code: String
        package let message: String
        /// Whether the same entry would fail again.
        package let isSenderFault: Bool
    }

    package struct Message: Sendable, Equatable {
        package let receipt: String
        package let body: String
        package let receiveCount: Int
        package let sentAt: Timestamp
    }

    /// A name for entries that an answer leaves out: nothing is known of them.
    package static let unmentioned = "Unmentioned"

    private let client: AWSClient

    package init(_ client: AWSClient) {
        self.client = client
    }

    /// The address of a queue of this account.
    ///
    /// - Throws: a `notFound` if there is none.
    package func url(ofQueue name: String) async throws(AWSError) -> String {
        let operation = "GetQueueUrl"
        guard let url = try await ask(operation, ["QueueName": .string(name)])["QueueUrl"]?.stringValue else {
            throw client.senseless(operation, "the answer holds no QueueUrl")
        }
        return url
    }

    /// Sends up to 10 messages; their texts hold no characters that XML has not.
    ///
    /// If no answer comes it is tried again, so that a message may be sent twice.
    package func send(
        _ entries: [(body: String, delaySeconds: Int)],
        to queue: String
    ) async throws(AWSError) -> [Failure] {
        try await batch("SendMessageBatch", queue, entries.count) { request, index in
            request.member("MessageBody", entries[index].body)
            if entries[index].delaySeconds > 0 { request.member("DelaySeconds", entries[index].delaySeconds) }
        }
    }

    /// Up to 10 messages, waiting up to 20 seconds for the first.
    package func receive(
        from queue: String,
        limit: Int,
        invisibleSeconds: Int,
        waitSeconds: Int
    ) async throws(AWSError) -> [Message] {
        precondition((1...Self.batchMax).contains(limit), "SQS gives 1 to 10 messages at once")
        let operation = "ReceiveMessage"
        let answer = try await client.send(
            Self.receiveCall(operation, queue, limit, invisibleSeconds: invisibleSeconds, waitSeconds: waitSeconds)
        )
        var messages: [Message] = []
        var isWhole = true
        try client.read(operation, answer) { reader, name, place in
            guard name == "Messages" else { return reader.skip(place) }
            return reader.elements(of: place) { reader, place in
                var message = SQSMessageReader()
                let end = message.read(&reader, place)
                if let message = message.whole { messages.append(message) } else { isWhole = false }
                return end
            }
        }
        guard isWhole else {
            throw client.senseless(operation, "a message lacks its receipt, body, receive count or time of sending")
        }
        return messages
    }

    /// A call that waits has time for it, however short the time for answers is.
    static func receiveCall(
        _ operation: String,
        _ queue: String,
        _ limit: Int,
        invisibleSeconds: Int,
        waitSeconds: Int
    ) -> AWSCall {
        var request = AWSJSONWriter()
        request.json("{")
        request.member("QueueUrl", queue)
        request.member("MaxNumberOfMessages", limit)
        request.member("VisibilityTimeout", invisibleSeconds)
        request.member("WaitTimeSeconds", waitSeconds)
        request.json(#","MessageSystemAttributeNames":["ApproximateReceiveCount","SentTimestamp"]}"#)
        var call = AWSJSONProtocol.sqs.call(operation, request.bytes)
        if waitSeconds > 0 { call.timeout = .seconds(waitSeconds + 10) }
        return call
    }

    /// Deletes up to 10 messages.
    package func delete(_ receipts: [String], from queue: String) async throws(AWSError) -> [Failure] {
        try await batch("DeleteMessageBatch", queue, receipts.count) { request, index in
            request.member("ReceiptHandle", receipts[index])
        }
    }

    /// Hides up to 10 messages for so long from now; 0 gives them back.
    package func changeVisibility(
        _ receipts: [String],
        of queue: String,
        seconds: Int
    ) async throws(AWSError) -> [Failure] {
        try await batch("ChangeMessageVisibilityBatch", queue, receipts.count) { request, index in
            request.member("ReceiptHandle", receipts[index])
            request.member("VisibilityTimeout", seconds)
        }
    }

    /// What is asked for by name, as SQS writes it: numbers are texts.
    package func attributes(of queue: String, _ names: [String]) async throws(AWSError) -> [String: String] {
        let names = JSONValue.array(names.map { .string($0) })
        let answer = try await ask("GetQueueAttributes", ["QueueUrl": .string(queue), "AttributeNames": names])
        let members = answer["Attributes"]?.objectValue?.members ?? []
        return members.reduce(into: [:]) { $0[$1.name] = $1.value.stringValue }
    }

    /// Makes a queue, or gives the one of that name these attributes.
    ///
    /// - Returns: its address.
    package func makeQueue(_ name: String, _ attributes: [String: String]) async throws(AWSError) -> String {
        let operation = "CreateQueue"
        let values = Self.object(attributes)
        do throws(AWSError) {
            let answer = try await ask(operation, ["QueueName": .string(name), "Attributes": values])
            if let url = answer["QueueUrl"]?.stringValue { return url }
        } catch {
            guard error.code.map({ Self.namesTaken.contains($0) }) ?? false else { throw error }
            let url = try await url(ofQueue: name)
            _ = try await ask("SetQueueAttributes", ["QueueUrl": .string(url), "Attributes": values])
            return url
        }
        throw client.senseless(operation, "the answer holds no QueueUrl")
    }

    /// There is a queue of that name with other attributes.
    private static let namesTaken: Set = ["QueueAlreadyExists", "QueueNameExists"]

    private static func object(_ attributes: [String: String]) -> JSONValue {
        var object = JSONObject()
        for (name, value) in attributes.sorted(by: { $0.key < $1.key }) { object[name] = .string(value) }
        return .object(object)
    }

    private func ask(_ operation: String, _ input: JSONObject) async throws(AWSError) -> JSONObject {
        try await client.object(AWSJSONProtocol.sqs.call(operation, JSONValue.object(input).bytes()))
    }

    private func batch(
        _ operation: String,
        _ queue: String,
        _ count: Int,
        _ fields: (inout AWSJSONWriter, Int) -> Void
    ) async throws(AWSError) -> [Failure] {
        precondition(count <= Self.batchMax, "a batch has up to 10 entries")
        guard count > 0 else { return [] }
        var request = AWSJSONWriter()
        request.json("{")
        request.member("QueueUrl", queue)
        request.json(#","Entries":["#)
        for index in 0..<count {
            request.comma()
            request.json("{")
            fields(&request, index)
            request.member("Id", String(index))
            request.json("}")
        }
        request.json("]}")
        let answer = try await client.send(AWSJSONProtocol.sqs.call(operation, request.bytes))
        var done = Set<Int>()
        var failed: [UInt8] = []
        try client.read(operation, answer) { reader, name, place in
            switch name {
            case "Successful": return reader.ids(at: place, into: &done)
            case "Failed": return reader.raw(at: place, into: &failed)
            default: return reader.skip(place)
            }
        }
        return Self.failures(failed, done, count)
    }

    /// What is neither named a success nor a failure is held for one that may pass.
    private static func failures(_ bytes: [UInt8], _ done: Set<Int>, _ count: Int) -> [Failure] {
        if bytes.isEmpty, done.isSuperset(of: 0..<count) { return [] }
        var failed: [Int: Failure] = [:]
        for value in (try? JSONValue.parse(bytes))?.arrayValue ?? [] {
            guard let index = value["Id"]?.stringValue.flatMap({ Int($0) }) else { continue }
            failed[index] = Failure(
                index: index,
                code: value["Code"]?.stringValue ?? "Unknown",
                message: value["Message"]?.stringValue ?? "",
                isSenderFault: value["SenderFault"]?.boolValue ?? false
            )
        }
        return (0..<count).compactMap { index in
            if let failure = failed[index] { return failure }
            if done.contains(index) { return nil }
            let silence = "the answer does not mention the entry"
            return Failure(index: index, code: unmentioned, message: silence, isSenderFault: false)
        }
    }
}
