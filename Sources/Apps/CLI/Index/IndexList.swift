// All index records: `sluice index list`.
import ArgumentParser
import ReindexPipeline
import SluiceAssembly
import SluiceCore

struct IndexList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the records of all indexes.")

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let found = try await common.withDeployment { deployment in try await deployment.indexes.list() }
        output.write(try found.map { try $0.record() }) { IndexDetails.table(found) }
    }
}

extension IndexDetails {
    /// The table's fields by their names, and who serves the index.
    func record() throws -> JSONObject {
        let attributes = try attributes()
        var record = JSONObject()
        for name in ["system_account_id", "index_name", "index_type", "marqo_version", "workflow_version", "metadata"] {
            record[name] = attributes[name].map(JSONValue.init)
        }
        record["service"] = .string(service.rawValue)
        record["fields"] = attributes["fields"].map(JSONValue.init)
        record["updated_at"] = .string("\(updatedAt)")
        return record
    }

    static func table(_ indexes: [IndexDetails]) -> TextTable {
        var table = TextTable(
            .text("ACCOUNT"),
            .text("INDEX"),
            .text("TYPE"),
            .text("MARQO"),
            .text("WORKFLOW"),
            .text("SERVICE"),
            .number("FIELDS")
        )
        for index in indexes {
            table.add(
                index.systemAccountID,
                index.indexName,
                index.kind.rawValue,
                index.marqoVersion ?? "-",
                index.workflowVersion,
                index.service.rawValue,
                "\(index.fields.count)"
            )
        }
        return table
    }
}
