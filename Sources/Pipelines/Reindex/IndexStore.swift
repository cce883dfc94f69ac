// The index config table: what is known of each index that can be reindexed.
package import SluiceCore

/// The index records of one backend.
package struct IndexStore: Sendable {
    private let table: Table<IndexDetails>

    package init(_ tables: any TableStore) {
        table = Table(tables)
    }

    /// Stores a record, in place of the one that is there.
    ///
    /// Durable on return. Jobs that exist keep the record they were created with.
    ///
    /// - Throws: `JobError.field` if the record can't be used for any job; `PortError`.
    package func set(_ index: IndexDetails) async throws {
        try Self.check(index)
        try await table.put(index)
    }

    package func get(account: String, index: String) async throws(PortError) -> IndexDetails? {
        try await table.get(IndexDetails.key(account: account, index: index))
    }

    /// All records, by account and index name.
    package func list() async throws(PortError) -> [IndexDetails] {
        var found: [IndexDetails] = []
        var cursor: TableCursor?
        repeat {
            let page = try await table.store.scan(IndexDetails.schema, limit: 500, after: cursor).whole()
            for item in page.items { found.append(try IndexDetails(attributes: item)) }
            cursor = page.next
        } while cursor != nil
        return found.sorted { ($0.systemAccountID, $0.indexName) < ($1.systemAccountID, $1.indexName) }
    }

    /// The record a job needs.
    ///
    /// - Throws: `JobError.field` if there is none, or if its workflow can't be reindexed; `PortError`.
    package func needed(account: String, index: String) async throws -> IndexDetails {
        guard let found = try await get(account: account, index: index) else {
            throw JobError.field(
                "index",
                "there is no record of the index \"\(index)\" of account \"\(account)\"; "
                    + "make one with `sluice index set`, or see `sluice index list` for those that are there"
            )
        }
        try Self.check(found)
        return found
    }

    /// - Throws: `JobError.field`.
    private static func check(_ index: IndexDetails) throws(JobError) {
        // "40" starts with a 4 as well, and is no workflow of version 4.
        let rest = index.workflowVersion.utf8.dropFirst()
        guard index.workflowVersion.utf8.first == UInt8(ascii: "4"), !(48...57).contains(rest.first ?? 0) else {
            throw .field(
                "workflow-version",
                "is \"\(index.workflowVersion)\", but only workflows of version 4 can be reindexed; "
                    + "correct it with `sluice index set --workflow-version 4` if it is wrong"
            )
        }
        if index.kind == .structured, index.fields.isEmpty {
            throw .field(
                "field",
                "a structured index declares all of its fields, for a bool is kept as a number; name each, "
                    + "such as --field title=text --field on_sale=bool"
            )
        }
    }
}
