// The record of one index: `sluice index show`.
import ArgumentParser
import ReindexPipeline
import SluiceAssembly
import SluiceCore

struct IndexShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show the record of an index.")

    @OptionGroup var index: IndexArgument
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let details = try await common.withDeployment { deployment in
            try await deployment.indexes.needed(account: index.account, index: index.index)
        }
        output.write(try details.record())
    }
}
