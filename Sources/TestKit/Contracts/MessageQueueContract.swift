// What every message queue promises: the harness, the setups and the list of cases.
public import SluiceCore

/// The promises of `MessageQueue`.
///
/// Each case wants fresh, empty queues, made from `setups`. Not tested, because no driver has to promise it: the order
/// of messages, and how the receive count goes on in a dead-letter queue.
public enum MessageQueueContract {
    /// The queues under test, and their time.
    public struct Harness: Sendable {
        /// The queue set up by `plain`.
        public let queue: any MessageQueue
        /// The queue set up by `redriven`.
        public let redriven: any MessageQueue
        /// The queue set up by `deadLetters`.
        public let deadLetters: any MessageQueue
        public let time: ContractTime
        /// How long a receive may take to find what is there; zero where the first look is exact.
        public let patience: Duration
        /// Whether a receive that is cancelled may take a message along, until its hiding ends.
        public let cancelMayHide: Bool

        public init(
            queue: any MessageQueue,
            redriven: any MessageQueue,
            deadLetters: any MessageQueue,
            time: ContractTime,
            patience: Duration = .zero,
            cancelMayHide: Bool = false
        ) {
            self.queue = queue
            self.redriven = redriven
            self.deadLetters = deadLetters
            self.time = time
            self.patience = patience
            self.cancelMayHide = cancelMayHide
        }

        func advance(by duration: Duration) async throws {
            try await time.advance(by: duration)
        }
    }

    /// Keeps messages for an hour and moves none.
    public static let plain = QueueSetup(name: "contract", retention: .seconds(3600))
    /// Moves a message that was received three times.
    public static let redriven = QueueSetup(
        name: "contract-redriven",
        maxReceiveCount: 3,
        deadLetterQueue: "contract-dead-letters"
    )
    public static let deadLetters = QueueSetup(name: "contract-dead-letters")
    public static let setups = [plain, redriven, deadLetters]

    public static let cases = deliveryCases + visibilityCases + waitingCases + lifetimeCases
}

extension MessageQueueContract.Harness {
    /// Sends texts, one message each.
    func send(_ texts: String..., delay: Duration = .zero) async throws {
        try await queue.send(texts.map { OutgoingMessage(body: Array($0.utf8), delay: delay) })
    }

    /// What a receive brings now, from the plain queue unless said otherwise.
    func receive(
        _ limit: Int = 10,
        invisible: Duration = .seconds(30),
        from other: (any MessageQueue)? = nil
    ) async throws -> [ReceivedMessage] {
        try await (other ?? queue).receive(limit: limit, invisible: invisible, wait: patience)
    }

    /// The one message that a receive brings now.
    func receiveOne(
        invisible: Duration = .seconds(30),
        from other: (any MessageQueue)? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> ReceivedMessage {
        let received = try await receive(invisible: invisible, from: other)
        guard received.count == 1, let message = received.first else {
            throw ContractFailure("expected one message, got \(received.map(\.text))", file: file, line: line)
        }
        return message
    }

    /// Nothing is there to be received.
    func expectNothing(
        _ why: String,
        from other: (any MessageQueue)? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let received = try await (other ?? queue).receive(limit: 10, invisible: .seconds(1), wait: .zero)
        try expect(received.map(\.text), equals: [], why, file: file, line: line)
    }

    /// Everything that can be received now, in calls of at most `limit`.
    func drain(limit: Int = 10, invisible: Duration = .seconds(600)) async throws -> [ReceivedMessage] {
        var all: [ReceivedMessage] = []
        while all.count < 5000 {
            let received = try await receive(limit, invisible: invisible)
            try expect(received.count <= limit, "\(received.count) messages came, only \(limit) were asked for")
            if received.isEmpty { return all }
            all += received
        }
        throw ContractFailure("messages that are hidden are received again and again")
    }
}

extension ReceivedMessage {
    /// The body as text, for messages of these cases.
    var text: String { String(decoding: body, as: UTF8.self) }
}
