// Configuration in, running services out: the one room that knows every driver.

/// Where a user's files are, by the XDG base directory rules.
package struct UserFolders: Sendable, Hashable {
    /// `$XDG_DATA_HOME`, or `~/.local/share`.
    package let data: String
    /// `$XDG_CONFIG_HOME`, or `~/.config`.
    package let config: String

    /// A relative path in one of the variables is invalid by those rules, and is passed over.
    package init(environment: [String: String]) {
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/"
        func folder(_ name: String, _ standard: String) -> String {
            if let path = environment[name], path.hasPrefix("/") { return path }
            return home == "/" ? "/" + standard : home + "/" + standard
        }
        data = folder("XDG_DATA_HOME", ".local/share")
        config = folder("XDG_CONFIG_HOME", ".config")
    }

    package var database: String { data + "/sluice/sluice.db" }
    package var configurationFile: String { config + "/sluice/config.yaml" }
}
