// Is everything sound, and if not, what helps: `sluice doctor`.
import ArgumentParser
import SluiceAssembly
import SluiceCore

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check settings, backend, room, processes, queues and jobs.",
        discussion: "Changes nothing. Ends with 1 if something is wrong, and says what to do about it."
    )

    @Flag(help: "Compare every index with its table too; slow on a large database.")
    var thorough = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try await common.settings()
        let changed = settings.entries.filter { $0.origin != .standard }.map { "\($0.key.name) from \($0.origin)" }
        var findings = [Finding.sound("settings", changed.isEmpty ? "all defaults" : changed.joined(separator: ", "))]
        do {
            let settings = settings.settings
            let checkup = Checkup(
                settings,
                environment: common.environment,
                logger: CommonOptions.logger(settings)
            )
            findings += try await checkup.run(thoroughly: thorough)
        } catch let error as PortError {
            findings.append(
                .wrong(
                    settings.settings.backend == .aws ? "aws" : "database",
                    error.message,
                    fix: settings.settings.backend == .aws
                        ? "see what the settings aws.… and AWS's own variables say: `sluice config show`"
                        : "name another database, or restore this one from a copy; Operations.md says more"
                )
            )
        }
        output.write(findings.map(Self.record)) { Self.table(findings) }
        if !findings.allSatisfy(\.isSound) { throw ExitStatus.error }
    }

    static func record(_ finding: Finding) -> JSONObject {
        [
            "check": .string(finding.check), "ok": .bool(finding.isSound), "detail": .string(finding.detail),
            "fix": .string(finding.fix),
        ]
    }

    static func table(_ findings: [Finding]) -> TextTable {
        var table = TextTable(.text("CHECK"), .text("OK"), .text("DETAIL"), .text("FIX"))
        for finding in findings {
            table.add(finding.check, finding.isSound ? "yes" : "NO", finding.detail, finding.fix)
        }
        return table
    }
}
