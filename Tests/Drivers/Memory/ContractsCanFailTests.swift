// The contracts notice drivers that break a promise; else keeping them would mean nothing.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("The contracts notice", .timeLimit(.minutes(10)))
struct ContractsCanFailTests {
    @Test("a queue that breaks a promise", arguments: BrokenQueue.Fault.allCases)
    func queues(_ fault: BrokenQueue.Fault) async {
        let broken = await failures(of: MessageQueueContract.cases) { clock in
            let backend = MemoryBackend(clock: clock)
            return MessageQueueContract.Harness(
                queue: BrokenQueue(queue: backend.queue(MessageQueueContract.plain), fault: fault),
                redriven: BrokenQueue(queue: backend.queue(MessageQueueContract.redriven), fault: fault),
                deadLetters: BrokenQueue(queue: backend.queue(MessageQueueContract.deadLetters), fault: fault),
                time: .manual(clock)
            )
        }
        #expect(!broken.isEmpty)
        #expect(broken.count < MessageQueueContract.cases.count)
    }

    @Test("a table store that breaks a promise", arguments: BrokenStore.Fault.allCases)
    func stores(_ fault: BrokenStore.Fault) async {
        let broken = await failures(of: TableStoreContract.cases) { clock in
            let store = BrokenStore(store: MemoryTableStore(clock: clock), fault: fault)
            return TableStoreContract.Harness(store: store, time: .manual(clock))
        }
        #expect(!broken.isEmpty)
        #expect(broken.count < TableStoreContract.cases.count)
    }

    @Test("an object store that shows what is not finished")
    func objects() async {
        let broken = await failures(of: ObjectStoreContract.cases) { clock in
            ObjectStoreContract.Harness(store: HastyObjectStore(store: MemoryObjectStore()), time: .manual(clock))
        }
        #expect(broken.contains { $0.hasPrefix("an object written in parts") })
    }

    @Test("a schedule that is always due, and a launcher that always starts")
    func eager() async {
        let schedules = await failures(of: ScheduleContract.cases) { clock in
            ScheduleContract.Harness(schedule: AlwaysDue(), other: AlwaysDue(), time: .manual(clock))
        }
        #expect(schedules.count == ScheduleContract.cases.count)
        let launchers = await failures(of: LauncherContract.cases) { _ in
            LauncherContract.Harness(launcher: EagerLauncher(), started: { [] })
        }
        #expect(launchers.count == LauncherContract.cases.count)
    }

    @Test("a backend that sends although nothing was written")
    func atomic() async {
        let broken = await failures(of: AtomicBackendContract.cases) { clock in
            let backend = MemoryBackend(clock: clock)
            return AtomicBackendContract.Harness(
                backend: HalfBackend(backend: backend),
                store: backend.tables,
                work: backend.queue(AtomicBackendContract.work),
                events: backend.queue(AtomicBackendContract.events),
                time: .manual(clock)
            )
        }
        #expect(broken.contains { $0.hasPrefix("a failed condition") })
    }

    /// The names of the cases that a driver does not pass.
    private func failures<Harness>(
        of cases: [ContractCase<Harness>],
        _ harness: (ManualClock) -> Harness
    ) async -> [String] {
        var names: [String] = []
        for promise in cases {
            do {
                try await promise.run(harness(ManualClock()))
            } catch {
                names.append(promise.name)
            }
        }
        return names
    }
}

private struct AlwaysDue: Schedule {
    func isDue(_ name: String, every interval: Duration) async throws(PortError) -> Bool { true }
}

private struct EagerLauncher: Launcher {
    func launch(_ launch: Launch) async throws(PortError) -> Bool { true }
}

private struct HalfBackend: AtomicBackend {
    let backend: MemoryBackend

    func commit(_ batch: AtomicBatch) async throws(PortError) {
        try await backend.commit(AtomicBatch(sends: batch.sends, deletes: batch.deletes))
        try await backend.commit(AtomicBatch(actions: batch.actions))
    }
}

private struct HastyObjectStore: ObjectStore {
    let store: MemoryObjectStore

    struct Writer: ObjectWriter {
        let key: String
        let store: MemoryObjectStore

        func append(_ bytes: [UInt8]) async throws(PortError) {
            let old = try await store.size(of: key) == nil ? [] : store.read(key, range: nil)
            try await store.put(old + bytes, at: key, onlyIfAbsent: false)
        }

        func finish() async throws(PortError) {}

        func abandon() async {}
    }

    func put(_ bytes: [UInt8], at key: String, onlyIfAbsent: Bool) async throws(PortError) {
        try await store.put(bytes, at: key, onlyIfAbsent: onlyIfAbsent)
    }

    func read(_ key: String, range: Range<Int>?) async throws(PortError) -> [UInt8] {
        try await store.read(key, range: range)
    }

    func size(of key: String) async throws(PortError) -> Int? { try await store.size(of: key) }

    func write(_ key: String) async throws(PortError) -> any ObjectWriter { Writer(key: key, store: store) }

    func delete(_ keys: [String]) async throws(PortError) { try await store.delete(keys) }

    func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        try await store.list(prefix: prefix, after: after, limit: limit)
    }
}
