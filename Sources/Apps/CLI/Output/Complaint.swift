// What is said when something went wrong: one line with the field and the fix, and an exit code.
import ArgumentParser
import Glibc
import SluiceAssembly
import SluiceCore

/// An error in the words of the command line.
struct Complaint {
    /// Nil if the exit code says it all.
    let text: String?
    let status: ExitStatus
    /// What was asked for instead of a command, such as help: goes to standard output as it is.
    private(set) var answer: String?

    init(_ error: any Error) {
        switch error {
        case let status as ExitStatus:
            self.init(nil, status)
        case let error as ConfigurationError:
            self.init(error.description, .configuration)
        case let error as JobError:
            self.init(error)
        case let error as PortError:
            self.init(error)
        case let error as SourceError:
            self.init("source: \(error)", .error)
        case let error as SinkError:
            self.init("sink: \(error)", .error)
        case is CancellationError:
            self.init("interrupted", .interrupted)
        default:
            self.init(parsing: error)
        }
    }

    private init(_ text: String?, _ status: ExitStatus) {
        self.text = text
        self.status = status
    }

    private init(_ error: JobError) {
        switch error {
        case .field: self.init(error.description, .usage)
        case .unknown, .destinationBusy: self.init(error.description, .error)
        case .move: self.init("job_status: \(error)", .error)
        case .mismatch: self.init("job: \(error)", .error)
        }
    }

    private init(_ error: PortError) {
        switch error.code {
        case .cancelled: self.init("interrupted", .interrupted)
        case .conditionFailed, .invalidRequest, .notFound: self.init("backend: \(error.message)", .error)
        case .outOfSpace, .unauthorized: self.init("backend: \(error.message)", .unavailable)
        // Here the message alone may not say what is in the way.
        case .conflict, .throttled, .timedOut, .unavailable: self.init("backend: \(error)", .unavailable)
        }
    }

    /// Complaints and answers of the argument parser.
    private init(parsing error: any Error) {
        let code = Sluice.exitCode(for: error)
        if code == .success {
            self.init(nil, .done)
            answer = Sluice.fullMessage(for: error)
        } else if code == .validationFailure {
            self.init("\(Sluice.message(for: error)); see `\(Self.help(for: CommandLine.arguments))`", .usage)
        } else {
            self.init("\(error)", .error)
        }
    }

    /// How to ask for the help that belongs to what was typed.
    static func help(for arguments: [String]) -> String {
        var words = ["sluice"]
        var command: any ParsableCommand.Type = Sluice.self
        for argument in arguments.dropFirst() {
            guard let next = command.configuration.subcommands.first(where: { $0._commandName == argument }) else {
                break
            }
            words.append(argument)
            command = next
        }
        return (words + ["--help"]).joined(separator: " ")
    }

    /// Says it and ends the process.
    func end() -> Never {
        if let answer { StandardOutput.write(answer.hasSuffix("\n") ? answer : answer + "\n") }
        if let text {
            // One line, whatever the cause had to say.
            let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
            StandardError.write("sluice: \(line)\n")
        }
        exit(status.rawValue)
    }
}
