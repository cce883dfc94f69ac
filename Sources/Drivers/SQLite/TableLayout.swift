// How a table of the port lies in SQL: names checked once, statements written once.
import SluiceCore

/// The SQL of one table.
///
/// A table has the columns `pk`, `sk` (empty without a sort key), `ttl` and `item`, the whole item as JSON that `sqlite3`
/// shows, and for each index its key as columns of their own, kept by us: SQLite would parse the JSON once more for each
/// index. Rows lie in the order of their key (`without rowid`), so that a page of a query is one stretch of the file.
struct TableLayout: Sendable {
    let schema: TableSchema
    let table: String
    let selectRow: String
    let upsert: String
    let deleteRow: String

    /// - Throws: `PortError.invalidRequest` for names that SQLite or we could mistake for something else.
    init(_ schema: TableSchema) throws(PortError) {
        try Self.check(schema.name, of: "table")
        for index in schema.indexes { try Self.check(index.name, of: "index") }
        guard Set(schema.indexes.map(\.name)).count == schema.indexes.count else {
            throw PortError(.invalidRequest, "the table \(schema.name) has two indexes of one name")
        }
        self.schema = schema
        table = "\"\(schema.name)\""
        selectRow = "select item, ttl from \(table) where pk = ?1 and sk = ?2"
        deleteRow = "delete from \(table) where pk = ?1 and sk = ?2"
        let columns = ["pk", "sk", "ttl", "item"] + schema.indexes.flatMap(Self.columns(of:))
        let changes = columns.dropFirst(2).map { "\($0) = excluded.\($0)" }
        upsert = """
            insert into \(table)(\(columns.joined(separator: ", ")))
            values (\(columns.indices.map { "?\($0 + 1)" }.joined(separator: ", ")))
            on conflict(pk, sk) do update set \(changes.joined(separator: ", "))
            """
    }

    /// The quoted columns of an index's partition and sort key.
    static func columns(of index: TableIndex) -> [String] {
        ["\"\(index.name)_pk\""] + (index.sortKey == nil ? [] : ["\"\(index.name)_sk\""])
    }

    /// The values of an index's columns for an item, all nil if it lacks one of them: then the index does not hold it.
    static func values(of index: TableIndex, for item: AttributeMap) -> [String?] {
        let names = [index.partitionKey] + (index.sortKey.map { [$0] } ?? [])
        let values = names.map { name -> String? in
            guard case .string(let text)? = item[name] else { return nil }
            return text
        }
        return values.contains(nil) ? names.map { _ in nil } : values
    }

    /// The second after which the item counts as gone.
    func expiry(of item: AttributeMap) -> Int64? {
        guard let ttl = schema.ttl, case .int(let second)? = item[ttl] else { return nil }
        return second
    }

    private static let nameBytesMax = 128

    private static func check(_ name: String, of what: String) throws(PortError) {
        let isGood = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        let lowered = name.lowercased()
        guard isGood, (1...nameBytesMax).contains(name.utf8.count), !lowered.hasPrefix("sqlite_"),
            !lowered.hasPrefix("sluice_")
        else {
            let message =
                "\"\(name)\" is no name for a \(what): letters, digits, '-', '_' and '.', at most "
                + "\(nameBytesMax), and not beginning with sqlite_ or sluice_"
            throw PortError(.invalidRequest, message)
        }
    }
}
