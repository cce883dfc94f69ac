// The log as lines on standard error, for people or for programs.
import Glibc
package import Logging
package import SluiceCore

/// Writes each event as one line, in one system call, so that lines of several processes do not mix.
package struct StandardErrorLog: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let format: Settings.LogFormat
    private let clock: any Timekeeping
    private let write: @Sendable ([UInt8]) -> Void

    /// Writes finished lines, newline included, with `write`.
    package init(
        level: Logger.Level,
        format: Settings.LogFormat,
        clock: any Timekeeping = WallClock(),
        write: @escaping @Sendable ([UInt8]) -> Void = StandardErrorLog.writeToStandardError
    ) {
        logLevel = level
        self.format = format
        self.clock = clock
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let pairs = all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }
        var line = format == .json ? json(event, pairs) : text(event, pairs)
        line.append(UInt8(ascii: "\n"))
        write(line)
    }

    private func json(_ event: LogEvent, _ pairs: [(String, String)]) -> [UInt8] {
        var object: JSONObject = [
            "time": .string("\(clock.now)"), "level": .string(event.level.rawValue),
            "message": .string("\(event.message)"),
        ]
        for (name, value) in pairs { object[name] = .string(value) }
        return JSONValue.object(object).bytes()
    }

    private func text(_ event: LogEvent, _ pairs: [(String, String)]) -> [UInt8] {
        var text = "\(clock.now) \(event.level): \(event.message)"
        for (name, value) in pairs where !value.isEmpty {
            let isPlain = !value.contains { $0.isWhitespace || $0 == "\"" || $0 == "=" }
            text += " \(name)=" + (isPlain ? value : JSONValue.string(value).description)
        }
        // A message with a line break would look like two.
        return text.utf8.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: " ") : $0 }
    }

    package static let writeToStandardError: @Sendable ([UInt8]) -> Void = { line in
        line.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDERR_FILENO, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                // A log that can't be written has nobody left to tell.
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
