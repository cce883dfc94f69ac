// What every backend promises whose tables and queues share a transaction: the harness and the cases.
public import SluiceCore

/// The promises of `AtomicBackend`.
///
/// Each case wants a fresh backend with the table of `schemas` and the queues of `setups`, all empty.
public enum AtomicBackendContract {
    /// The backend under test, its parts, and its time.
    public struct Harness: Sendable {
        public let backend: any AtomicBackend
        public let store: any TableStore
        /// The queue set up by `work`.
        public let work: any MessageQueue
        /// The queue set up by `events`.
        public let events: any MessageQueue
        public let time: ContractTime

        public init(
            backend: any AtomicBackend,
            store: any TableStore,
            work: any MessageQueue,
            events: any MessageQueue,
            time: ContractTime
        ) {
            self.backend = backend
            self.store = store
            self.work = work
            self.events = events
            self.time = time
        }
    }

    public static let items = TableSchema(name: "contract-items")
    public static let schemas = [items]
    public static let work = QueueSetup(name: "contract-work")
    public static let events = QueueSetup(name: "contract-events")
    public static let setups = [work, events]

    public static let cases: [ContractCase<Harness>] = [
        ContractCase("writes, sends and deletes happen together", together),
        ContractCase("a failed condition undoes all of it, and is named", failedCondition),
        ContractCase("a message that is refused undoes all of it", refusedMessage),
        ContractCase("an action that is refused undoes all of it", refusedAction),
        ContractCase("a queue that does not exist is not found, and undoes all of it", unknownQueue),
        ContractCase("a stale receipt is ignored, and the rest happens", staleReceipt),
        ContractCase("a batch may be any part of a batch, or empty", partialBatches),
        ContractCase("a batch holds 100 actions, and no more", hundredActions),
        ContractCase("a delay of a message counts", delays),
        ContractCase("a waiting receive wakes when a batch sends", wakes),
        ContractCase("a deleted message of a batch that failed comes again", deleteUndone),
        ContractCase("of many batches with one condition, one happens, with all it sends", oneWinner),
    ]
}

extension AtomicBackendContract.Harness {
    typealias Contract = AtomicBackendContract

    static func put(_ key: String, if condition: Condition? = nil) -> TableAction {
        let item: AttributeMap = ["pk": .string("p"), "sk": .string(key)]
        return TableAction(Contract.items, ItemKey("p", key), .put(item), if: condition)
    }

    static func send(
        _ texts: String...,
        to setup: QueueSetup = Contract.work,
        delay: Duration = .zero
    ) -> AtomicBatch.Send {
        let messages = texts.map { OutgoingMessage(body: Array($0.utf8), delay: delay) }
        return AtomicBatch.Send(queue: setup.name, messages: messages)
    }

    func receive(_ queue: any MessageQueue, invisible: Duration = .seconds(30)) async throws -> [ReceivedMessage] {
        try await queue.receive(limit: 200, invisible: invisible, wait: .zero)
    }

    /// What is in the table and in the queues, as sorted texts; receives the messages.
    func expect(
        items: [String],
        work: [String],
        events: [String],
        _ what: String,
        file: String = #fileID,
        line: Int = #line
    ) async throws {
        let query = TableQuery(partition: "p", limit: 1000)
        let found = try await store.query(query, in: Contract.items).items.map { $0.text("sk") }
        let worked = try await receive(self.work).map(\.text).sorted()
        let told = try await receive(self.events).map(\.text).sorted()
        let all = ["items": found, "work": worked, "events": told]
        let wanted = ["items": items, "work": work, "events": events]
        try SluiceTestKit.expect(all, equals: wanted, what, file: file, line: line)
    }
}
