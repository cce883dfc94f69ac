// One page of a query as SQL: a stretch of the table or of an index, from a cursor on.
import SluiceCore

/// The text and the values of a query, and what to make of its rows.
struct QuerySQL: Sendable {
    /// A row's item, and the place after it.
    struct Row: Sendable {
        let json: [UInt8]
        let cursor: TableCursor
    }

    private enum Value: Sendable {
        case text([UInt8])
        case integer(Int64)
    }

    private var clauses: [String] = []
    private var values: [Value] = []
    private let table: String
    /// The columns that order the rows, which a cursor holds the values of.
    private let order: [String]
    private let direction: String
    private let limit: Int

    init(_ query: TableQuery, _ layout: TableLayout) throws(PortError) {
        table = layout.table
        limit = query.limit
        direction = query.descending ? "desc" : "asc"
        let partition: String
        let sort: String?
        if let name = query.index {
            guard let index = layout.schema.indexes.first(where: { $0.name == name }) else {
                throw PortError(.invalidRequest, "the table \(layout.schema.name) has no index \(name)")
            }
            let columns = TableLayout.columns(of: index)
            partition = columns[0]
            sort = columns.count > 1 ? columns[1] : nil
            order = columns.dropFirst() + ["pk", "sk"]
        } else {
            partition = "pk"
            sort = "sk"
            order = ["sk"]
        }
        add("\(partition) = ", .text(Array(query.partition.utf8)))
        if let sort { add(query.range, on: sort) }
        try add(query.after)
    }

    init(scanOf layout: TableLayout, limit: Int, after: TableCursor?) throws(PortError) {
        table = layout.table
        self.limit = limit
        direction = "asc"
        order = ["pk", "sk"]
        try add(after)
    }

    /// Up to one row more than the limit.
    func rows(in session: Session) throws -> [Row] {
        let now = Int32(values.count + 1)
        let conditions = clauses + ["(ttl is null or ttl >= ?\(now))"]
        let statement = try session.connection.statement(
            """
            select item, \(order.joined(separator: ", ")) from \(table)
            where \(conditions.joined(separator: " and "))
            order by \(order.map { "\($0) \(direction)" }.joined(separator: ", ")) limit ?\(now + 1)
            """
        )
        defer { statement.reset() }
        for (position, value) in values.enumerated() {
            switch value {
            case .text(let bytes): statement.bind(Int32(position + 1), text: bytes)
            case .integer(let number): statement.bind(Int32(position + 1), number)
            }
        }
        statement.bind(now, session.now.seconds)
        statement.bind(now + 1, Int64(limit + 1))
        var rows: [Row] = []
        while try statement.step() {
            let keys = order.indices.map { AttributeValue.string(statement.text(Int32($0 + 1))) }
            rows.append(Row(json: statement.blob(0), cursor: Self.cursor(keys)))
        }
        return rows
    }

    private mutating func add(_ clause: String, _ value: Value) {
        values.append(value)
        clauses.append("\(clause)?\(values.count)")
    }

    private mutating func add(_ range: TableQuery.SortRange, on column: String) {
        switch range {
        case .everything: return
        case .between(let low, let high):
            add("\(column) >= ", .text(Array(low.utf8)))
            add("\(column) <= ", .text(Array(high.utf8)))
        case .prefix(let prefix):
            var bytes = Array(prefix.utf8)
            guard let last = bytes.last else { return }
            add("\(column) >= ", .text(bytes))
            // Text is compared by its bytes; no byte of UTF-8 is so large that it could not be raised.
            bytes[bytes.count - 1] = last + 1
            add("\(column) < ", .text(bytes))
        }
    }

    private mutating func add(_ cursor: TableCursor?) throws(PortError) {
        guard let cursor else { return }
        guard let item = AttributeJSON.decode(Array(cursor.token.utf8)), case .list(let keys)? = item["after"],
            keys.count == order.count
        else { throw PortError(.invalidRequest, "the cursor does not belong to this query") }
        var places: [String] = []
        for key in keys {
            guard case .string(let text) = key else {
                throw PortError(.invalidRequest, "the cursor does not belong to this query")
            }
            values.append(.text(Array(text.utf8)))
            places.append("?\(values.count)")
        }
        let comparison = direction == "asc" ? ">" : "<"
        let (columns, keyList) = (order.joined(separator: ", "), places.joined(separator: ", "))
        clauses.append("(\(columns)) \(comparison) (\(keyList))")
    }

    private static func cursor(_ keys: [AttributeValue]) -> TableCursor {
        TableCursor(token: String(decoding: AttributeJSON.encode(["after": .list(keys)]), as: UTF8.self))
    }
}
