// Hands an answer to standard output: a table for people, JSON for programs.
import ArgumentParser
import SluiceCore

/// How results are written.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json
}

struct OutputOptions: ParsableArguments {
    @Option(help: "How the result is written.")
    var format = OutputFormat.table

    /// Writes one record.
    func write(_ record: JSONObject) {
        StandardOutput.write(text(record))
    }

    /// Writes a list: a table, or a JSON array of records.
    func write(_ records: [JSONObject], table: () -> TextTable) {
        StandardOutput.write(text(records, table: table))
    }

    /// A record for people is a line for each field.
    func text(_ record: JSONObject) -> String {
        switch format {
        case .json: return Self.json(.object(record))
        case .table:
            let width = record.members.map(\.name.count).max() ?? 0
            return record.members.map { member in
                let room = String(repeating: " ", count: width - member.name.count)
                return "\(member.name)\(room)  \(TextTable.visible(Self.plain(member.value)))\n"
            }.joined()
        }
    }

    func text(_ records: [JSONObject], table: () -> TextTable) -> String {
        switch format {
        case .json: Self.json(.array(records.map { .object($0) }))
        case .table: table().text
        }
    }

    private static func json(_ value: JSONValue) -> String {
        String(decoding: value.bytes(style: .pretty), as: UTF8.self) + "\n"
    }

    /// A value without JSON's quotes.
    static func plain(_ value: JSONValue) -> String {
        switch value {
        case .null: "-"
        case .string(let text): text
        case .array(let values): values.map(plain).joined(separator: ", ")
        case .bool, .number, .object: value.description
        }
    }
}
