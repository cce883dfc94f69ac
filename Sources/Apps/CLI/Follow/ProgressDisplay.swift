// Where progress is drawn: bars on a terminal, plain lines elsewhere.
import Glibc
import SluiceCore

/// Draws one look after the other, no more often than anybody can read.
struct ProgressDisplay: Sendable {
    enum Form: Sendable, Equatable {
        /// Redrawn in place, as wide as the terminal is.
        case bars
        /// A line once a second, when it says something new.
        case lines
        /// A JSON object a line, when it says something new.
        case json
    }

    let form: Form
    private let write: @Sendable (String) -> Void
    private let size: @Sendable () -> (width: Int, height: Int)
    private var pace = Pace()
    private var lastAt: Timestamp?
    private var lastNews: News?
    private var linesDrawn = 0

    init(
        _ form: Form,
        size: @escaping @Sendable () -> (width: Int, height: Int) = { (80, 24) },
        write: @escaping @Sendable (String) -> Void
    ) {
        self.form = form
        self.size = size
        self.write = write
    }

    /// For a command whose result goes to standard output.
    static func standardError() -> ProgressDisplay {
        let form = Terminal.isOne(STDERR_FILENO) ? Form.bars : .lines
        return ProgressDisplay(form, size: { Terminal.size(STDERR_FILENO) }, write: StandardError.write)
    }

    /// For `watch`, whose result it is.
    static func standardOutput(_ format: OutputFormat) -> ProgressDisplay {
        let form = format == .json ? Form.json : Terminal.isOne(STDOUT_FILENO) ? .bars : .lines
        return ProgressDisplay(form, size: { Terminal.size(STDOUT_FILENO) }, write: { StandardOutput.write($0) })
    }

    /// What a line is written for; that a rate goes down while nothing happens is none.
    private struct News: Equatable {
        let status: JobStatus
        let reason: String?
        let sheet: BalanceSheet

        init(_ progress: JobProgress) {
            status = progress.job.status
            reason = progress.job.statusReason
            sheet = progress.sheet
        }
    }

    private var interval: Duration { form == .bars ? .milliseconds(250) : .seconds(1) }

    func isDue(at now: Timestamp) -> Bool {
        lastAt.map { $0.duration(to: now) >= interval || now < $0 } ?? true
    }

    /// Draws a look; the last one is drawn even if it says nothing new.
    mutating func show(_ progress: JobProgress, isLast: Bool) {
        lastAt = progress.now
        pace.add(progress)
        let text = ProgressText(progress: progress, pace: pace)
        let news = News(progress)
        defer { lastNews = news }
        switch form {
        case .bars:
            let (width, height) = size()
            let lines = text.bars(width: width, height: height)
            // Up to where the last picture began, and everything below it cleared.
            let home = linesDrawn == 0 ? "" : "\u{1B}[\(linesDrawn)A\r\u{1B}[J"
            write(home + lines.map { $0 + "\n" }.joined())
            linesDrawn = lines.count
        case .lines:
            guard news != lastNews || isLast else { return }
            write("\(progress.now) \(text.line)\n")
        case .json:
            guard news != lastNews || isLast else { return }
            write(text.record.description + "\n")
        }
    }
}

/// What is known of the terminal behind a file descriptor.
enum Terminal {
    /// A terminal that can move its cursor.
    static func isOne(_ descriptor: CInt) -> Bool {
        guard isatty(descriptor) == 1 else { return false }
        return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    static func size(_ descriptor: CInt) -> (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
