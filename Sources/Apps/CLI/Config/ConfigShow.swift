// Every setting, its effective value and where that came from: `sluice config show`.
import ArgumentParser
import SluiceAssembly
import SluiceCore

struct ConfigShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "List every setting: effective value, origin, default, range, variable and meaning.",
        discussion: """
            The command line wins over the environment, the environment over the YAML file, the file over the default. \
            In the file a key is one name (inflight.max: 500) or nested (inflight:, then max: 500 beneath it).
            """
    )

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let entries = try await common.settings().entries
        output.write(entries.map(Self.record)) { Self.table(entries) }
    }

    static func record(_ entry: EffectiveSetting) -> JSONObject {
        [
            "key": .string(entry.key.name), "value": .string(entry.value), "origin": .string("\(entry.origin)"),
            "default": .string(entry.standard), "type": .string(entry.key.type), "range": .string(entry.key.range),
            "unit": .string(entry.key.unit), "environment": .string(entry.key.environmentName),
            "description": .string(entry.key.summary),
        ]
    }

    static func table(_ entries: [EffectiveSetting]) -> TextTable {
        var table = TextTable(
            .text("KEY"),
            .text("VALUE"),
            .text("ORIGIN"),
            .text("DEFAULT"),
            .text("RANGE"),
            .text("UNIT"),
            .text("ENVIRONMENT"),
            .text("DESCRIPTION")
        )
        for entry in entries {
            table.add(
                entry.key.name,
                entry.value,
                "\(entry.origin)",
                entry.standard,
                entry.key.range,
                entry.key.unit,
                entry.key.environmentName,
                entry.key.summary
            )
        }
        return table
    }
}
