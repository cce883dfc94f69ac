// Makes or replaces the record of an index: `sluice index set`.
import ArgumentParser
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine

struct IndexSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Make or replace the record of an index.",
        discussion: "Jobs that exist keep the record they were created with."
    )

    @OptionGroup var index: IndexArgument

    @Option(
        help: "How the index keeps its documents: structured, unstructured (made before Marqo 2.13), semi-structured."
    )
    var type: IndexKindChoice

    @Option(help: "The Marqo version that the index was made with, such as 2.16.0.")
    var marqoVersion: String?

    @Option(help: "The shop whose index it is; without one the index is Classic and stays undelivered.")
    var shopID: String?

    @Option(help: "The version of its workflow; only those of version 4 can be reindexed.")
    var workflowVersion = "4"

    @Option(
        name: .customLong("field"),
        help: "A declared field and its type, such as on_sale=bool; one option for each field."
    )
    var fields: [String] = []

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let kind = try MarqoVersion.kind(type.value, version: marqoVersion)
        let fields = try declared()
        let details = try await common.withDeployment(makingIt: true) { deployment in
            let details = IndexDetails(
                systemAccountID: index.account,
                indexName: index.index,
                metadata: .init(shopID: shopID),
                workflowVersion: workflowVersion,
                kind: kind,
                marqoVersion: marqoVersion,
                fields: fields,
                now: deployment.context.clock.now
            )
            try await deployment.indexes.set(details)
            return details
        }
        output.write(try details.record())
    }

    /// - Throws: `JobError.field` if one is not of the form name=type.
    private func declared() throws(JobError) -> [String: FieldType] {
        var found: [String: FieldType] = [:]
        for text in fields {
            guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
                throw .field("field", "\"\(text)\" is not of the form name=type, such as title=text")
            }
            let name = String(text[..<sign])
            guard let type = FieldType(spelt: String(text[text.index(after: sign)...])) else {
                let known = FieldType.allCases.map(\.rawValue).joined(separator: ", ")
                throw .field("field", "\"\(text)\" has no known type; known are \(known)")
            }
            guard found.updateValue(type, forKey: name) == nil else {
                throw .field("field", "declares \"\(name)\" twice; declare each field once")
            }
        }
        return found
    }
}
