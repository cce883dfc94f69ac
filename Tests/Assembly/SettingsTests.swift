// Where settings come from, and what is refused of them.
import Foundation
import Logging
import SluiceAssembly
import SluiceCore
import SluiceEngine
import Testing

@Suite("Settings")
struct SettingsTests {
    private func read(
        _ commandLine: [String: String] = [:],
        _ environment: [String: String] = [:],
        file text: String? = nil
    ) async throws -> EffectiveSettings {
        guard let text else {
            return try await EffectiveSettings.read(
                commandLine: commandLine,
                environment: ["XDG_CONFIG_HOME": "/nonexistent"].merging(environment) { $1 }
            )
        }
        let path = NSTemporaryDirectory() + "sluice-config-\(SystemRandomSource().hexadecimal(12)).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        defer { unlink(path) }
        return try await EffectiveSettings.read(commandLine: commandLine, environment: environment, file: path)
    }

    private func entry(_ name: String, _ settings: EffectiveSettings) throws -> EffectiveSetting {
        try #require(settings.entries.first { $0.key.name == name })
    }

    @Test("without anything the defaults hold, and the database is the user's own")
    func defaults() async throws {
        let settings = try await read([:], ["HOME": "/home/me"])
        #expect(settings.settings.databasePath == "/home/me/.local/share/sluice/sluice.db")
        #expect(settings.settings.engine == Settings(folders: UserFolders(environment: [:])).engine)
        #expect(settings.entries.allSatisfy { $0.origin == .standard && $0.value == $0.standard })
        let xdg = try await read([:], ["XDG_DATA_HOME": "/data"])
        #expect(xdg.settings.databasePath == "/data/sluice/sluice.db")
    }

    @Test("a chunk is hidden for no longer than leaves room for an extension within SQS's 12 hours")
    func visibility() async throws {
        let longest = try await read(["visibility.seconds": "28000"]).settings.engine.visibility
        #expect(longest + longest / 2 <= .seconds(12 * 3600))
        await #expect(throws: (any Error).self) { _ = try await read(["visibility.seconds": "28001"]) }
    }

    @Test("the command line wins over the environment, the environment over the file, the file over the default")
    func precedence() async throws {
        let file = "inflight.max: 100\nlease:\n  seconds: 20\ntick.seconds: 2\n"
        let settings = try await read(
            ["inflight.max": "300"],
            ["SLUICE_INFLIGHT_MAX": "200", "SLUICE_LEASE_SECONDS": "30.5"],
            file: file
        )
        #expect(settings.settings.engine.inFlightMax == 300)
        #expect(settings.settings.engine.lease == .milliseconds(30_500))
        #expect(settings.settings.engine.tick == .seconds(2))
        #expect(try entry("inflight.max", settings).origin == .commandLine)
        #expect(try entry("lease.seconds", settings).origin == .environment("SLUICE_LEASE_SECONDS"))
        #expect(try entry("lease.seconds", settings).value == "30.5")
        guard case .file = try entry("tick.seconds", settings).origin else {
            Issue.record("not from the file")
            return
        }
    }

    @Test("SLUICE_DATABASE names the database; a variable set to nothing is none")
    func database() async throws {
        #expect(try await read([:], ["SLUICE_DATABASE": "/x.db"]).settings.databasePath == "/x.db")
        #expect(try await read([:], ["SLUICE_DATABASE": "", "HOME": "/h"]).settings.databasePath.hasPrefix("/h/"))
    }

    @Test("SLUICE_CONFIG names the file, and a named file must be there")
    func namedFile() async {
        await #expect(throws: ConfigurationError.self) { try await read([:], ["SLUICE_CONFIG": "/nonexistent.yaml"]) }
    }

    @Test("a file of comments only is an empty one")
    func blank() async throws {
        let settings = try await read(file: "# nothing yet\n\n")
        #expect(settings.entries.allSatisfy { $0.origin == .standard })
    }

    struct Wrong: Sendable {
        var commandLine: [String: String] = [:]
        var environment: [String: String] = [:]
        var file: String?
        let key: String
        let says: String
    }

    @Test(
        "what is misspelt or out of range is refused by name, with what was meant",
        arguments: [
            Wrong(commandLine: ["inflght.max": "1"], key: "inflght.max", says: "did you mean inflight.max?"),
            Wrong(environment: ["SLUICE_DATABSE": "x"], key: "SLUICE_DATABSE", says: "did you mean SLUICE_DATABASE?"),
            Wrong(file: "lease:\n  secnds: 3\n", key: "lease.secnds", says: "did you mean lease.seconds?"),
            Wrong(
                file: "chunk.records.max: 101\n",
                key: "chunk.records.max",
                says: "must be 1 to 100 records, is \"101\""
            ),
            Wrong(file: "chunk.records.max: [1, 2]\n", key: "chunk.records.max", says: "single value"),
            Wrong(
                environment: ["SLUICE_LOG_LEVEL": "loud"],
                key: "log.level",
                says: "from environment SLUICE_LOG_LEVEL"
            ),
            Wrong(commandLine: ["reindex.failure-budget": "x%"], key: "reindex.failure-budget", says: "1%"),
            Wrong(file: "a: [", key: "config", says: "is not YAML"),
        ]
    )
    func refused(wrong: Wrong) async {
        do {
            _ = try await read(wrong.commandLine, wrong.environment, file: wrong.file)
            Issue.record("accepted")
        } catch let error as ConfigurationError {
            #expect(error.key == wrong.key)
            #expect(error.problem.contains(wrong.says), "\(error)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test(
        "a variable that means one of ours is not passed over",
        arguments: [
            ("SLUICE_DATABASE_PATH", "SLUICE_DATABASE"), ("SLUICE_RATE", "SLUICE_REINDEX_RATE"),
            ("SLUICE_LOG", "SLUICE_LOG_LEVEL"), ("SLUICE_INFLIGHT", "SLUICE_INFLIGHT_MAX"),
        ]
    )
    func meant(variable: String, ours: String) async {
        do {
            _ = try await read([:], [variable: "1"])
            Issue.record("passed over")
        } catch {
            #expect("\(error)".contains("did you mean"), "\(error)")
            #expect(ours.split(separator: "_").allSatisfy { "\(error)".contains($0) }, "\(error)")
        }
    }

    @Test("variables of scripts around us are none of ours")
    func otherVariables() async throws {
        _ = try await read([:], ["SLUICE_TEST_KILLS": "100"])
    }

    @Test("every key takes its own default back, and no two share a name or a variable")
    func table() async throws {
        let standard = try await read([:], ["HOME": "/h"])
        // Secrets are not taken from a command line; see below.
        let open = standard.entries.filter { !$0.key.isSecret }
        let all = Dictionary(uniqueKeysWithValues: open.map { ($0.key.name, $0.value) })
        let again = try await read(all, ["HOME": "/h"])
        #expect(again.entries.map(\.value) == standard.entries.map(\.value))
        #expect(Set(SettingKey.all.map(\.environmentName)).count == SettingKey.all.count)
        #expect(SettingKey.all.allSatisfy { !$0.summary.isEmpty && !$0.range.isEmpty })
    }
}

@Suite("Secrets among the settings")
struct SecretSettingsTests {
    private func read(_ commandLine: [String: String], _ environment: [String: String]) async throws
        -> EffectiveSettings
    {
        let all = ["XDG_CONFIG_HOME": "/nonexistent"].merging(environment) { $1 }
        return try await EffectiveSettings.read(commandLine: commandLine, environment: all)
    }

    @Test("come from the environment, and are never shown")
    func shown() async throws {
        let settings = try await read(
            [:],
            ["SLUICE_ECOMMERCE_API_KEY": "hush", "SLUICE_VESPA_HEADERS": "X-Tenant: t; Authorization: Basic hush"]
        )
        #expect(settings.settings.ecommerce.apiKey == "hush")
        #expect(settings.settings.vespa.headers.map(\.name) == ["X-Tenant", "Authorization"])
        #expect(settings.settings.vespa.headers.map(\.value) == ["t", "Basic hush"])
        #expect(!settings.entries.contains { $0.value.contains("hush") })
        #expect(settings.entries.first { $0.key.name == "ecommerce.api-key" }?.value == "(redacted)")
        #expect(settings.entries.first { $0.key.name == "vespa.api-key" }?.value == "")
    }

    @Test(
        "don't show in a URL that names a user",
        arguments: [
            ("vespa+http://me:hush@v:8080/x", "vespa+http://(redacted)@v:8080/x"),
            ("vespa+http://v/@x", "vespa+http://v/@x"),
            ("vespa+http://me:hush@w@v", "vespa+http://(redacted)@v"),
        ]
    )
    func user(url: String, shown: String) async throws {
        let settings = try await read([:], ["SLUICE_VESPA_URL": url])
        #expect(settings.entries.first { $0.key.name == "vespa.url" }?.value == shown)
    }

    @Test(
        "are not taken from a command line, which others can read",
        arguments: ["ecommerce.api-key", "vespa.headers"]
    )
    func commandLine(name: String) async {
        do {
            _ = try await read([name: "hush"], [:])
            Issue.record("taken")
        } catch {
            #expect("\(error)".contains("SLUICE_") && !"\(error)".contains("hush"), "\(error)")
        }
    }

    @Test("that are malformed are refused without being repeated", arguments: ["hush", "a b: hush", ": hush"])
    func malformed(headers: String) async {
        do {
            _ = try await read([:], ["SLUICE_VESPA_HEADERS": headers])
            Issue.record("taken")
        } catch {
            #expect(!"\(error)".contains("hush"), "\(error)")
        }
    }
}

@Suite("Nearest names")
struct NearestNameTests {
    @Test(
        "as many changes as letters differ",
        arguments: [("", "abc", 3), ("abc", "abd", 1), ("abc", "ab", 1), ("ab", "ba", 2)]
    )
    func distance(left: String, right: String, expected: Int) {
        #expect(NearestName.distance(left, right) == expected)
    }
}
