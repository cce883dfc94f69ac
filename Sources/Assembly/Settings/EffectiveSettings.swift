// The settings that hold, and where each of them came from.

/// Where a value was found; earlier cases win over later ones.
package enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    case commandLine
    case environment(String)
    case file(String)
    case standard

    package var description: String {
        switch self {
        case .commandLine: "command line"
        case .environment(let name): "environment \(name)"
        case .file(let path): "file \(path)"
        case .standard: "default"
        }
    }
}

/// One key with the value that holds.
package struct EffectiveSetting: Sendable {
    package let key: SettingKey
    /// The value as the file would hold it; a secret's is never shown.
    package let value: String
    package let standard: String
    package let origin: SettingOrigin
}

/// The settings of this process, with their origins for whoever asks.
package struct EffectiveSettings: Sendable {
    package let settings: Settings
    package let entries: [EffectiveSetting]

    static let redacted = "(redacted)"

    /// A URL that names a user is refused where it is used, but must not show a password before.
    private static func withoutUser(_ text: String) -> String {
        guard let authority = text.firstRange(of: "://")?.upperBound,
            let at = text[authority...].prefix(while: { !"/?#".contains($0) }).lastIndex(of: "@")
        else { return text }
        return text[..<authority] + redacted + text[at...]
    }

    init(_ settings: Settings, standard: Settings, keys: [SettingKey], origins: [String: SettingOrigin]) {
        self.settings = settings
        entries = keys.map { key in
            EffectiveSetting(
                key: key,
                value: key.isSecret && origins[key.name] != nil
                    ? Self.redacted : Self.withoutUser(key.text(settings)),
                standard: key.isSecret ? "" : key.text(standard),
                origin: origins[key.name] ?? .standard
            )
        }
    }
}
