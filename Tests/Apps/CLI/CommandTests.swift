// What is typed, what comes of it, and with which exit code.
import ArgumentParser
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import Testing

@testable import sluice

@Suite("The command line")
struct CommandTests {
    private func start(_ more: String...) throws -> ReindexRequest {
        let arguments = ["--source", "file:///in.jsonl", "--sink", "noop:"] + more
        var defaults = ReindexDefaults()
        defaults.concurrency = 3
        defaults.failureBudget = "1%"
        return try ReindexStartCommand.parse(arguments).request(defaults)
    }

    @Test("every option of a reindex reaches its request; the rest comes from the settings")
    func request() throws {
        let request = try start(
            "--type",
            "patch",
            "--fields",
            "a,b",
            "--skip-if-present",
            "a",
            "--concurrency",
            "7",
            "--id-field",
            "sku",
            "--overwrite",
            "--on-bad-record",
            "dead-letter",
            "--page-size",
            "50",
            "--rate",
            "2.5",
            "--delivery-concurrency",
            "4",
            "--account",
            "acc",
            "--index",
            "i",
            "--destination-index",
            "j"
        )
        var expected = ReindexRequest(source: "file:///in.jsonl", sink: "noop:")
        expected.type = .patch
        expected.fields = ["a", "b"]
        expected.skipIfPresent = ["a"]
        expected.concurrency = 7
        expected.idField = "sku"
        expected.overwrite = true
        expected.onBadRecord = .deadLetter
        expected.pageSize = 50
        expected.rate = 2.5
        expected.deliveryConcurrency = 4
        expected.failureBudget = "1%"
        expected.account = "acc"
        expected.index = "i"
        expected.destinationIndex = "j"
        #expect(request == expected)
        #expect(try start().concurrency == 3)
    }

    @Test(
        "names stand between commas, and nothing is an empty list",
        arguments: [
            ("a", ["a"]), ("a,b", ["a", "b"]), ("", []), ("a,,b", ["a", "", "b"]),
        ]
    )
    func names(text: String, expected: [String]) {
        #expect(ReindexStartCommand.names(text) == expected)
    }

    @Test("set says what changes, what goes back to the default, and refuses to change nothing")
    func set() throws {
        let id = Made.job().id.text
        let some = try JobSet.parse([
            id, "--rate", "unlimited", "--delivery-concurrency", "5", "--failure-budget", "off",
        ])
        let settings = try some.settings()
        #expect(settings.rate == .some(nil))
        #expect(settings.deliveryConcurrency == .some(5))
        #expect(settings.failureBudget == .some(nil))
        #expect(settings.onBadRecord == nil)
        #expect(throws: JobError.self) { try JobSet.parse([id]).settings() }
        #expect(throws: JobError.self) { try JobSet.parse([id, "--rate", "fast"]).settings() }
    }

    @Test(
        "every verb is under its noun",
        arguments: [
            "reindex start --source a --sink b", "job list", "job show X", "job watch X", "job pause X", "job resume X",
            "job cancel X", "job set X", "dead-letters list X", "dead-letters redrive X --id 1 --id 2",
            "dead-letters export X --format raw", "queue depth --format json", "worker --until-idle", "config show",
            "doctor --thorough", "job list --database a.db --config c.yaml --log-level debug --set inflight.max=5",
        ]
    )
    func verbs(line: String) throws {
        _ = try Sluice.parseAsRoot(line.split(separator: " ").map(String.init))
    }

    @Test(
        "the exit code says how a job ended",
        arguments: [
            (JobStatus.completed, 0), (.completedWithFailures, 3), (.paused, 4), (.cancelled, 5), (.failed, 6),
            (.inProgress, 75), (.pending, 75), (.pausing, 75), (.cancelling, 75),
        ] as [(JobStatus, Int32)]
    )
    func exitStatus(status: JobStatus, code: Int32) {
        #expect(sluice.ExitStatus(of: status).rawValue == code)
    }

    static let complaints: [(any Error & Sendable, sluice.ExitStatus, String?)] = [
        (JobError.field("rate", "must be more"), .usage, "rate: must be more"),
        (JobError.move(from: .completed, to: .pausing), .error, nil),
        (ConfigurationError("a.b", "is not a setting"), .configuration, "a.b: is not a setting"),
        (PortError(.unavailable, "gone"), .unavailable, "backend: gone"),
        (PortError(.outOfSpace, "full"), .unavailable, "backend: full"),
        (PortError(.invalidRequest, "newer"), .error, "backend: newer"),
        (CancellationError(), .interrupted, "interrupted"),
        (sluice.ExitStatus.paused, .paused, nil),
    ]

    @Test("what goes wrong is one line with its field, and a code", arguments: complaints.indices)
    func complaint(index: Int) {
        let (error, status, text) = Self.complaints[index]
        let complaint = Complaint(error)
        #expect(complaint.status == status)
        if let text { #expect(complaint.text == text) }
        #expect(complaint.text?.contains("\n") != true)
    }

    @Test("usage errors are 64 and name the help that helps")
    func usage() {
        do {
            _ = try Sluice.parseAsRoot(["job", "shwo"])
            Issue.record("accepted")
        } catch {
            #expect(Complaint(error).status == .usage)
        }
        #expect(Complaint.help(for: ["sluice", "job", "show", "--nope"]) == "sluice job show --help")
    }

    @Test(
        "help and completion scripts are answers, not errors",
        arguments: [
            ["--help"], ["job", "--help"], ["--version"], ["--generate-completion-script", "bash"],
        ]
    )
    func answers(arguments: [String]) {
        do {
            _ = try Sluice.parseAsRoot(arguments)
            // Help may parse into a command that prints it.
        } catch {
            let complaint = Complaint(error)
            #expect(complaint.status == .done)
            #expect(complaint.answer?.isEmpty == false)
        }
    }
}
