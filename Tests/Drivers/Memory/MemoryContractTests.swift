// The memory driver keeps every promise of the ports.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("The memory driver keeps the promises of the ports", .timeLimit(.minutes(10)))
struct MemoryContractTests {
    let clock = ManualClock()

    @Test("the table store", arguments: TableStoreContract.cases)
    func tables(_ promise: ContractCase<TableStoreContract.Harness>) async throws {
        try await promise.run(.init(store: MemoryTableStore(clock: clock), time: .manual(clock)))
    }

    @Test("the queue", arguments: MessageQueueContract.cases)
    func queues(_ promise: ContractCase<MessageQueueContract.Harness>) async throws {
        let backend = MemoryBackend(clock: clock)
        try await promise.run(
            .init(
                queue: backend.queue(MessageQueueContract.plain),
                redriven: backend.queue(MessageQueueContract.redriven),
                deadLetters: backend.queue(MessageQueueContract.deadLetters),
                time: .manual(clock)
            )
        )
    }

    @Test("the object store", arguments: ObjectStoreContract.cases)
    func objects(_ promise: ContractCase<ObjectStoreContract.Harness>) async throws {
        try await promise.run(.init(store: MemoryObjectStore(), time: .manual(clock)))
    }

    @Test("the change feed", arguments: ChangeFeedContract.cases)
    func feed(_ promise: ContractCase<ChangeFeedContract.Harness>) async throws {
        let store = MemoryTableStore(clock: clock)
        try await promise.run(.init(feed: MemoryChangeFeed(of: store), store: store, time: .manual(clock)))
    }

    @Test("transactions across tables and queues", arguments: AtomicBackendContract.cases)
    func atomic(_ promise: ContractCase<AtomicBackendContract.Harness>) async throws {
        let backend = MemoryBackend(clock: clock)
        try await promise.run(
            .init(
                backend: backend,
                store: backend.tables,
                work: backend.queue(AtomicBackendContract.work),
                events: backend.queue(AtomicBackendContract.events),
                time: .manual(clock)
            )
        )
    }
}
