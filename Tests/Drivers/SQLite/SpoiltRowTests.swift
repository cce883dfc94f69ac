// Rows that something else has written into the database, and that hold no item.
import SluiceCore
import Testing

@testable import SQLiteDriver

@Suite("Spoilt rows")
struct SpoiltRowTests {
    private let scratch: Scratch
    private let schema = TableSchema(name: "things")

    init() throws { scratch = try Scratch() }

    @Test("a row that is no item is told by a query and a scan, and keeps back no other")
    func told() async throws {
        try await scratch.withBackend { backend in
            for sort in ["a", "b", "c"] {
                let item: AttributeMap = ["pk": .string("p"), "sk": .string(sort)]
                try await backend.tables.transact([TableAction(schema, ItemKey("p", sort), .put(item))])
            }
            try await backend.store.write { session in
                try session.connection.execute("update things set item = '{\"pk\"' where sk = 'b'")
            }
            let found = try await backend.tables.query(TableQuery(partition: "p", limit: 10), in: schema)
            let scanned = try await backend.tables.scan(schema, limit: 10, after: nil)
            for page in [found, scanned] {
                #expect(page.items.map { $0["sk"] } == [.string("a"), .string("c")])
                #expect(page.problems.count == 1 && page.problems[0].contains("table things"))
                let error = #expect(throws: PortError.self) { _ = try page.whole() }
                #expect(error?.code == .invalidRequest)
            }
            let error = await #expect(throws: PortError.self) {
                _ = try await backend.tables.get(ItemKey("p", "b"), in: schema)
            }
            #expect(error?.code == .invalidRequest)
        }
    }
}
