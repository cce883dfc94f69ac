// Engines that are wrong on purpose: a simulation that can't tell them from the right one proves nothing.
import SluiceCore

@testable import SluiceEngine

/// One rule of the books left out.
enum Mutant: String, Sendable, CaseIterable {
    /// A page is committed whoever has the slice and whether it has an owner or not; either rule alone would do mostly.
    case commitsUnguarded
    /// Letters are written over whatever was booked meanwhile.
    case booksWithoutLooking
    /// An orphan is counted each time it is received.
    case countsOrphansAgain
    /// Counters move by what an event says, whether it was booked before or not.
    case losesLetters

    /// The action as the mutant writes it.
    func mutate(_ action: TableAction) -> TableAction {
        let kind = action.key.sort?.prefix { $0 != "#" } ?? ""
        let unconditional = TableAction(action.schema, action.key, action.effect)
        switch (self, kind, action.effect) {
        case (.commitsUnguarded, "slice", .update(let changes)):
            return changes.contains { $0.sets(SliceItem.page.name) } ? unconditional : action
        case (.commitsUnguarded, "page", .put), (.booksWithoutLooking, "chunk", .put),
            (.countsOrphansAgain, "orphan", .put):
            return unconditional
        case (.losesLetters, "chunk", .put):
            return TableAction(action.schema, action.key, .check)
        default: return action
        }
    }
}

extension AttributeChange {
    fileprivate func sets(_ wanted: String) -> Bool {
        if case .set(let name, _) = self { name == wanted } else { false }
    }
}

/// Tables that a mutant writes to.
struct MutantTables: TableStore {
    let base: any TableStore
    let mutant: Mutant

    func get(_ key: ItemKey, in schema: TableSchema) async throws(PortError) -> AttributeMap? {
        try await base.get(key, in: schema)
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
        try await base.transact(actions.map(mutant.mutate))
    }

    func writeEach(_ actions: [TableAction]) async throws(PortError) {
        try await base.writeEach(actions)
    }
}
