// Makes a table and its indexes when a schema is first used, and fills indexes that were added to it since.
import SluiceCore

extension TableLayout {
    /// Makes what is missing; a table that stands as the schema wants is left alone.
    func make(in session: Session) throws {
        let connection = session.connection
        let indexColumns = schema.indexes.flatMap(Self.columns(of:))
        let columns =
            ["pk text not null", "sk text not null", "ttl integer", "item text not null"]
            + indexColumns.map { "\($0) text" }
        try connection.execute(
            "create table if not exists \(table)(\(columns.joined(separator: ", ")), primary key(pk, sk)) without rowid"
        )
        try connection.execute(
            "create index if not exists \"\(schema.name).ttl\" on \(table)(ttl) where ttl is not null"
        )
        try remember(in: session)
        let standing = try self.standing(in: session)
        let added = schema.indexes.filter { index in
            Self.columns(of: index).contains { !standing.contains($0) }
        }
        for column in added.flatMap(Self.columns(of:)) where !standing.contains(column) {
            try connection.execute("alter table \(table) add column \(column) text")
        }
        for index in added { try fill(index, in: session) }
        for index in schema.indexes {
            let keys = Self.columns(of: index)
            try connection.execute(
                """
                create index if not exists "\(schema.name).\(index.name)"
                on \(table)(\((keys + ["pk", "sk"]).joined(separator: ", "))) where \(keys[0]) is not null
                """
            )
        }
    }

    private func remember(in session: Session) throws {
        let statement = try session.connection.statement(
            """
            insert into sluice_table(name, followed) values (?1, ?2)
            on conflict(name) do update set followed = excluded.followed
            """
        )
        statement.bind(1, schema.name)
        statement.bind(2, Int64(schema.isFollowed ? 1 : 0))
        try statement.run()
    }

    private func standing(in session: Session) throws -> Set<String> {
        let statement = try session.connection.statement("select name from pragma_table_info(?)")
        defer { statement.reset() }
        statement.bind(1, schema.name)
        var names: Set<String> = []
        while try statement.step() { names.insert("\"\(statement.text(0))\"") }
        return names
    }

    /// Gives the rows that stand their place in an index that is new.
    private func fill(_ index: TableIndex, in session: Session) throws {
        let assignments = Self.columns(of: index).enumerated().map { "\($1) = ?\($0 + 3)" }
        let selection = try session.connection.statement("select pk, sk, item from \(table)")
        defer { selection.reset() }
        let update = try session.connection.statement(
            "update \(table) set \(assignments.joined(separator: ", ")) where pk = ?1 and sk = ?2"
        )
        // The table lies in the order of its key, which the update does not change.
        while try selection.step() {
            let item = try TableRows.item(selection, 2, of: schema.name)
            update.bind(1, selection.text(0))
            update.bind(2, selection.text(1))
            for (position, value) in Self.values(of: index, for: item).enumerated() {
                if let value { update.bind(Int32(position + 3), value) } else { update.bindNull(Int32(position + 3)) }
            }
            try update.run()
        }
    }
}
