// A commit that was given up on, and lands while its fate is looked up.
import SluiceCore
import SluiceTestKit
import Synchronization
import Testing

@testable import SluiceEngine

@Suite("A commit that lands late", .timeLimit(.minutes(10)))
struct LateCommitTests {
    @Test("keeps the payload of the page that it made its epoch's", arguments: 0...4, [false, true])
    func late(reads: Int, isClaimed: Bool) async throws {
        let sinks = FaultSinks(kind: .prompt, fault: nil)
        let world = FixedWorld(FaultParts(sinks: sinks), isAtomic: false) { backend in
            backend.replacing(tables: LateTables(backend.tables, landingAfter: reads, isClaimed: isClaimed))
        }
        let context = world.context
        try await world.extract()
        let pages = try await context.pages.all(TableQuery(partition: world.job.id.text, range: .prefix("page#")))
        #expect(pages.contains { $0.slice == 0 && $0.page == 0 && $0.epoch == 1 })
        let kept = Set(
            try await context.backend.objects.list(prefix: PayloadKey.prefix(world.job.id), after: nil, limit: 100)
                .map(\.key)
        )
        for page in pages {
            let key = PayloadKey.page(job: world.job.id, slice: page.slice, page: page.page, epoch: page.epoch)
            #expect(kept.contains(key))
        }
        try await context.clock.sleep(for: context.settings.lease * 2)
        try await world.steps.extract(world.job, 0)
        try await world.steps.replay()
        let ended = try await world.end()
        #expect(ended.status == .completed)
        #expect(ended.completedDocCount == FixedSource.delivered.count)
        #expect(sinks.held == FixedSource.delivered)
    }
}

/// Tables whose first commit of a page times out, and is applied only some reads of single items later.
private final class LateTables: TableStore {
    private let base: any TableStore
    private let reads: Int
    /// Whether a successor claims the slice as soon as the commit has landed.
    private let isClaimed: Bool
    private let state = Mutex(State())

    private struct State {
        var hasStruck = false
        var held: [TableAction] = []
        var reads = 0
    }

    init(_ base: any TableStore, landingAfter reads: Int, isClaimed: Bool) {
        self.base = base
        self.reads = reads
        self.isClaimed = isClaimed
    }

    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await land()
        return try await base.get(key, in: schema)
    }

    func get(_ keys: [ItemKey], in schema: TableSchema) async throws(PortError) -> [AttributeMap?] {
        try await base.get(keys, in: schema)
    }

    func query(_ query: TableQuery, in schema: TableSchema) async throws(PortError) -> TableQueryPage {
        try await base.query(query, in: schema)
    }

    func scan(_ schema: TableSchema, limit: Int, after: TableCursor?) async throws(PortError) -> TableQueryPage {
        try await base.scan(schema, limit: limit, after: after)
    }

    func transact(_ actions: [TableAction]) async throws(PortError) {
        let isHeld = state.withLock { state in
            guard !state.hasStruck, actions.contains(where: { $0.key.sort?.hasPrefix("page#") == true }) else {
                return false
            }
            state.hasStruck = true
            state.held = actions
            return true
        }
        if isHeld { throw PortError(.timedOut, "no answer") }
        try await base.transact(actions)
    }

    func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try await base.writeEach(actions)
    }

    private func land() async throws(PortError) {
        let landing = state.withLock { state in
            guard !state.held.isEmpty else { return [TableAction]() }
            state.reads += 1
            guard state.reads > reads else { return [] }
            defer { state.held = [] }
            return state.held
        }
        guard let slice = landing.first?.key else { return }
        do {
            try await base.transact(landing)
        } catch {
            // Too late: the slice has moved on.
            guard error.code == .conditionFailed else { throw error }
        }
        if isClaimed {
            let successor = [SliceItem.epoch.add(1)]
            try await base.transact([TableAction(ledgerSchema, slice, .update(successor))])
        }
    }
}
