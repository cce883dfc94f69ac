// Reads the settings from the command line, the environment and the file, in that order of precedence.
import Configuration
import Glibc
import Synchronization

extension EffectiveSettings {
    /// Reads every key of the list, and refuses what is not one.
    ///
    /// `commandLine` has values by key, `environment` all variables of the process, and `file` is what `--config` names.
    /// Without it `SLUICE_CONFIG` names a file, and without that the user's own is read if there is one.
    ///
    /// - Throws: `ConfigurationError` naming the key, the nearest known one if it is unknown, and its range.
    package static func read(
        commandLine: [String: String] = [:],
        environment: [String: String],
        file: String? = nil,
        keys: [SettingKey] = SettingKey.all
    ) async throws(ConfigurationError) -> EffectiveSettings {
        let folders = UserFolders(environment: environment)
        for name in commandLine.keys.sorted() {
            try known(name, keys, from: .commandLine)
            guard let key = keys.first(where: { $0.name == name }), key.isSecret else { continue }
            throw ConfigurationError(
                name,
                "is a secret, and a command line can be read by every user of the machine; set \(key.environmentName) or "
                    + "write it into the file"
            )
        }
        try checkNames(of: environment, keys)
        let sources = try await sources(commandLine, environment, file, folders, keys)

        func read(_ keys: [SettingKey], into settings: inout Settings) throws(ConfigurationError) -> [String:
            SettingOrigin]
        {
            var origins: [String: SettingOrigin] = [:]
            for key in keys {
                for source in sources {
                    guard let text = try source.text(of: key) else { continue }
                    let origin = source.origin(key)
                    try key.store(text, from: origin, in: &settings)
                    origins[key.name] = origin
                    break
                }
            }
            return origins
        }
        // The backend first: defaults depend on it.
        var first = Settings(folders: folders)
        _ = try read(keys.filter { $0.name == SettingKey.backendName }, into: &first)
        let standard = Settings(folders: folders, backend: first.backend)
        var settings = standard
        let origins = try read(keys, into: &settings)
        return EffectiveSettings(settings, standard: standard, keys: keys, origins: origins)
    }

    private static func sources(
        _ commandLine: [String: String],
        _ environment: [String: String],
        _ file: String?,
        _ folders: UserFolders,
        _ keys: [SettingKey]
    ) async throws(ConfigurationError) -> [SettingSource] {
        let flags = InMemoryProvider(
            values: Dictionary(
                uniqueKeysWithValues: commandLine.map { (AbsoluteConfigKey([$0]), ConfigValue(stringLiteral: $1)) }
            )
        )
        var sources = [
            SettingSource(provider: flags, key: { [$0.name] }, origin: { _ in .commandLine }),
            SettingSource(
                // A variable that is set to nothing is as good as none.
                provider: EnvironmentVariablesProvider(environmentVariables: environment.filter { !$0.value.isEmpty }),
                key: { [$0.environmentName] },
                origin: { .environment($0.environmentName) }
            ),
        ]
        let named = file ?? environment["SLUICE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
        let path = named ?? folders.configurationFile
        guard named != nil || access(path, F_OK) == 0 else { return sources }
        let provider = try await fileProvider(path, keys, option: file == nil ? "SLUICE_CONFIG" : "config")
        sources.append(SettingSource(provider: provider, key: { [$0.name] }, origin: { _ in .file(path) }))
        return sources
    }

    /// Parses the file, and meets each of its keys on the way.
    private static func fileProvider(
        _ path: String,
        _ keys: [SettingKey],
        option: String
    ) async throws(ConfigurationError) -> any ConfigProvider {
        guard access(path, R_OK) == 0 else {
            throw ConfigurationError(option, "the file \(path) can't be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
            throw ConfigurationError(option, "\(path) is a folder; name the file")
        }
        let found = Names()
        let options = YAMLSnapshot.ParsingOptions(
            secretsSpecifier: .dynamic { name, _ in
                found.add(name)
                return keys.contains { $0.name == name && $0.isSecret }
            }
        )
        let place = ConfigReader(provider: InMemoryProvider(values: ["filePath": ConfigValue(stringLiteral: path)]))
        let provider: FileProvider<YAMLSnapshot>
        do {
            provider = try await FileProvider<YAMLSnapshot>(parsingOptions: options, config: place)
        } catch {
            let reason = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
            if reason.contains("not a mapping"), isBlank(path) { return InMemoryProvider(values: [:]) }
            throw ConfigurationError(option, "the file \(path) is not YAML with a key a line: \(reason)")
        }
        for name in found.all.sorted() { try known(name, keys, from: .file(path)) }
        return provider
    }

    /// Whether a file holds nothing but comments, which is no mapping either but says what it means.
    private static func isBlank(_ path: String) -> Bool {
        guard let file = fopen(path, "r") else { return false }
        defer { fclose(file) }
        var isComment = false
        while case let byte = getc(file), byte != EOF {
            switch UInt8(truncatingIfNeeded: byte) {
            case UInt8(ascii: "\n"): isComment = false
            case UInt8(ascii: "#"): isComment = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
            default: if !isComment { return false }
            }
        }
        return true
    }

    private static func known(
        _ name: String,
        _ keys: [SettingKey],
        from origin: SettingOrigin
    ) throws(ConfigurationError) {
        guard !keys.contains(where: { $0.name == name }) else { return }
        let nearest = NearestName.of(name, among: keys.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        throw ConfigurationError(name, "is not a setting (from \(origin))\(nearest) `sluice config show` lists all")
    }

    /// Refuses variables that are nearly ours.
    ///
    /// Others that begin with `SLUICE_` may be for scripts around us.
    private static func checkNames(
        of environment: [String: String],
        _ keys: [SettingKey]
    ) throws(ConfigurationError) {
        let ours = keys.map(\.environmentName) + ["SLUICE_CONFIG"]
        for name in environment.keys.sorted() where name.hasPrefix("SLUICE_") && !ours.contains(name) {
            guard let nearest = literal(name, keys) ?? near(name, ours) ?? wider(name, ours) else { continue }
            throw ConfigurationError(name, "is not a setting (from the environment); did you mean \(nearest)?")
        }
    }
}

extension EffectiveSettings {
    /// The variable of a key whose own is not made from its name.
    private static func literal(_ variable: String, _ keys: [SettingKey]) -> String? {
        keys.first { SettingKey.environmentName(of: $0.name) == variable }?.environmentName
    }

    private static func near(_ variable: String, _ ours: [String]) -> String? {
        guard let nearest = NearestName.of(variable, among: ours), NearestName.distance(variable, nearest) <= 2 else {
            return nil
        }
        return nearest
    }

    /// The one that says all that `variable` says, and more: `SLUICE_REINDEX_RATE` for `SLUICE_RATE`.
    private static func wider(_ variable: String, _ ours: [String]) -> String? {
        let words = Set(variable.split(separator: "_"))
        return ours.filter { words.isSubset(of: Set($0.split(separator: "_"))) }.min { $0.count < $1.count }
    }
}

/// One place where values may stand.
private struct SettingSource {
    let provider: any ConfigProvider
    let key: (SettingKey) -> [String]
    let origin: (SettingKey) -> SettingOrigin

    /// The key's value as text, or nil if it does not stand here.
    func text(of key: SettingKey) throws(ConfigurationError) -> String? {
        do {
            let found = try provider.value(forKey: AbsoluteConfigKey(self.key(key)), type: .string)
            guard case .string(let text)? = found.value?.content else { return nil }
            return text
        } catch {
            throw ConfigurationError(key.name, "must be a single value, \(key.range) (from \(origin(key)))")
        }
    }
}

/// The keys of a file, noted while it is parsed.
private final class Names: Sendable {
    private let names = Mutex<Set<String>>([])

    func add(_ name: String) { names.withLock { _ = $0.insert(name) } }
    var all: Set<String> { names.withLock { $0 } }
}
