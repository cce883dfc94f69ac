// One key of the configuration: its name, its range, and where its value goes.
import SluiceCore

/// A documented key.
///
/// The list of all keys drives reading, `config show` and the refusal of unknown ones.
package struct SettingKey: Sendable {
    /// Dotted, as in the file: `chunk.records.max`.
    package let name: String
    /// Such as `integer`, `seconds` or `choice`.
    package let type: String
    /// Such as `1 to 100`, or the choices.
    package let range: String
    package let unit: String
    package let summary: String
    package let isSecret: Bool
    /// The variable that sets it.
    package let environmentName: String
    /// The value as it would be written in the file.
    let text: @Sendable (Settings) -> String
    /// Reads a text into the settings; nil if it is none of `range`.
    let store: @Sendable (String, inout Settings) -> Void?

    /// Makes a key; `environment` names another variable than the name's own.
    init(
        _ name: String,
        type: String,
        range: String,
        unit: String = "",
        environment: String? = nil,
        isSecret: Bool = false,
        _ summary: String,
        text: @escaping @Sendable (Settings) -> String,
        store: @escaping @Sendable (String, inout Settings) -> Void?
    ) {
        self.name = name
        self.type = type
        self.range = range
        self.unit = unit
        self.summary = summary
        self.isSecret = isSecret
        self.text = text
        self.store = store
        environmentName = environment ?? Self.environmentName(of: name)
    }

    /// `SLUICE_`, then the name in capitals with `_` for what is no letter or digit.
    static func environmentName(of name: String) -> String {
        "SLUICE_" + String(name.uppercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
    }

    /// Puts a text where the key's value goes.
    ///
    /// - Throws: `ConfigurationError` naming the key and its range.
    func store(_ text: String, from origin: SettingOrigin, in settings: inout Settings) throws(ConfigurationError) {
        guard store(text, &settings) == nil else { return }
        let shown = isSecret ? "" : ", is \"\(text)\""
        let unit = unit.isEmpty ? "" : " \(unit)"
        throw ConfigurationError(
            name,
            "must be \(range)\(unit)\(shown) (from \(origin)); `sluice config show` explains every key"
        )
    }
}

extension SettingKey {
    typealias Path<Value> = any WritableKeyPath<Settings, Value> & Sendable

    static func integer(
        _ name: String,
        _ path: Path<Int>,
        _ range: ClosedRange<Int>,
        _ unit: String,
        _ summary: String
    ) -> SettingKey {
        SettingKey(
            name,
            type: "integer",
            range: "\(range.lowerBound) to \(range.upperBound)",
            unit: unit,
            summary,
            text: { "\($0[keyPath: path])" },
            store: { text, settings in
                guard let value = Int(text), range.contains(value) else { return nil }
                settings[keyPath: path] = value
                return ()
            }
        )
    }

    static func seconds(
        _ name: String,
        _ path: Path<Duration>,
        _ range: ClosedRange<Double>,
        _ summary: String
    ) -> SettingKey {
        SettingKey(
            name,
            type: "number",
            range: "\(plain(range.lowerBound)) to \(plain(range.upperBound))",
            unit: "seconds",
            summary,
            text: { plain($0[keyPath: path].inSeconds) },
            store: { text, settings in
                guard let value = Double(text), range.contains(value) else { return nil }
                settings[keyPath: path] = .milliseconds(Int64((value * 1000).rounded()))
                return ()
            }
        )
    }

    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String,
        _ path: Path<Value>,
        _ summary: String
    ) -> SettingKey where Value.RawValue == String {
        SettingKey(
            name,
            type: "choice",
            range: Value.allCases.map(\.rawValue).joined(separator: "|"),
            summary,
            text: { $0[keyPath: path].rawValue },
            store: { text, settings in
                guard let value = Value(rawValue: text) else { return nil }
                settings[keyPath: path] = value
                return ()
            }
        )
    }

    /// A text of one part of the settings, which may be missing.
    static func text<Part>(
        _ name: String,
        _ part: Path<Part>,
        _ field: any WritableKeyPath<Part, String?> & Sendable,
        _ range: String,
        isSecret: Bool = false,
        _ summary: String
    ) -> SettingKey {
        SettingKey(
            name,
            type: isSecret ? "secret" : range.hasSuffix("path") ? "path" : "text",
            range: range,
            isSecret: isSecret,
            summary,
            text: { $0[keyPath: part][keyPath: field] ?? "" },
            store: { text, settings in
                settings[keyPath: part][keyPath: field] = text.isEmpty ? nil : text
                return ()
            }
        )
    }

    /// A number without a fraction that says nothing.
    static func plain(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }
}
