// The SQLite backend keeps what the ports promise.
import Foundation
import SQLiteDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("The SQLite backend keeps the contracts")
struct ContractTests {
    private let scratch: Scratch
    private let clock = ManualClock()

    init() throws { scratch = try Scratch() }

    @Test("tables", arguments: TableStoreContract.cases)
    func tables(_ promise: ContractCase<TableStoreContract.Harness>) async throws {
        try await scratch.withBackend(clock: clock) { backend in
            try await promise.run(.init(store: backend.tables, time: .manual(clock)))
        }
    }

    @Test("queues", arguments: MessageQueueContract.cases)
    func queues(_ promise: ContractCase<MessageQueueContract.Harness>) async throws {
        try await scratch.withBackend(clock: clock, queues: MessageQueueContract.setups) { backend in
            let queue = try #require(backend.queue(MessageQueueContract.plain.name))
            let redriven = try #require(backend.queue(MessageQueueContract.redriven.name))
            let deadLetters = try #require(backend.queue(MessageQueueContract.deadLetters.name))
            let harness = MessageQueueContract.Harness(
                queue: queue,
                redriven: redriven,
                deadLetters: deadLetters,
                time: .manual(clock)
            )
            try await promise.run(harness)
        }
    }

    @Test("the change feed", arguments: ChangeFeedContract.cases)
    func feed(_ promise: ContractCase<ChangeFeedContract.Harness>) async throws {
        try await scratch.withBackend(clock: clock) { backend in
            try await promise.run(.init(feed: backend.feed, store: backend.tables, time: .manual(clock)))
        }
    }

    @Test("atomic batches", arguments: AtomicBackendContract.cases)
    func atomic(_ promise: ContractCase<AtomicBackendContract.Harness>) async throws {
        try await scratch.withBackend(clock: clock, queues: AtomicBackendContract.setups) { backend in
            let work = try #require(backend.queue(AtomicBackendContract.work.name))
            let events = try #require(backend.queue(AtomicBackendContract.events.name))
            let harness = AtomicBackendContract.Harness(
                backend: backend,
                store: backend.tables,
                work: work,
                events: events,
                time: .manual(clock)
            )
            try await promise.run(harness)
        }
    }
}
