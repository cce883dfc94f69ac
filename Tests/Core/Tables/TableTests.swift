// Typed access to tables, within what their stores allow.
import MemoryDriver
import SluiceCore
import SluiceTestKit
import Testing

@Suite("A table")
struct TableTests {
    @Test("gets any number of items, in the order of their keys", arguments: [0, 1, 100, 101, 250])
    func many(_ count: Int) async throws {
        let table = Table<Mark>(MemoryTableStore(clock: ManualClock()))
        let marks = (0..<count).map { Mark(id: "\($0)") }
        for mark in marks where mark.isStored { try await table.put(mark) }
        let expected = marks.map { $0.isStored ? $0 : nil }
        #expect(try await table.get(marks.map(\.key)) == expected)
    }

    private struct Mark: TableItem, Equatable {
        static let schema = TableSchema(name: "marks", sortKey: nil)
        let id: String

        var key: ItemKey { ItemKey(id) }
        /// Every third is missing.
        var isStored: Bool { id.utf8.reduce(0) { $0 + Int($1) - 48 } % 3 != 0 }
    }
}
