// Progress as text: one line for logs, bars for terminals. Pure, so that tests need no terminal.
import SluiceCore

/// What is shown of a job's progress.
struct ProgressText: Sendable {
    let progress: JobProgress
    let pace: Pace

    /// All there is to say in one line, without a time, so that equal lines are equal news.
    var line: String {
        var parts = ["\(progress.job.id) \(progress.job.status)", percent, rate, remaining, progress.balanceLine]
        if let reason = progress.job.statusReason { parts.append(reason) }
        return TextTable.visible(parts.joined(separator: ", "))
    }

    /// A bar for each slice, the sums and the balance, at most `width` columns and `height` lines.
    func bars(width: Int, height: Int) -> [String] {
        var footer = [Self.cut("\(percent), \(rate), \(remaining)", width)]
        footer += Self.wrapped(progress.balanceLine, width)
        if let reason = progress.job.statusReason { footer.append(Self.cut(TextTable.visible(reason), width)) }
        var lines = [Self.cut("job \(progress.job.id)  \(progress.job.status)", width)]
        // A picture taller than the terminal could not be drawn over; the last line is the cursor's.
        let room = max(1, height - footer.count - 2)
        let shown = shownSlices(room)
        for slice in shown { lines.append(bar(slice, width)) }
        if shown.count < progress.slices.count {
            let rest = progress.slices.count - shown.count
            let finished = progress.slices.filter(\.finished).count
            lines.append(Self.cut("… \(rest) more slices, \(finished) of \(progress.slices.count) are finished", width))
        }
        return lines + footer
    }

    /// All slices if there is room, else those that are being read.
    private func shownSlices(_ room: Int) -> [SliceItem] {
        guard progress.slices.count > room else { return progress.slices }
        let unfinished = progress.slices.filter { !$0.finished }
        return Array((unfinished.isEmpty ? progress.slices : unfinished).prefix(max(1, room - 1)))
    }

    /// `=` for what has come to an end, `-` for what is on its way.
    private func bar(_ slice: SliceItem, _ width: Int) -> String {
        let sheet = slice.balance
        let digits = max(2, "\(max(0, progress.slices.count - 1))".count)
        let label = String(repeating: " ", count: digits - "\(slice.index)".count) + "\(slice.index) "
        let read = progress.fractionRead(of: slice)
        let share = read.map { Self.padded("\(Int($0 * 100)) %", 6) } ?? "     ?"
        let count = Self.padded("\(sheet.extracted)", 9)
        let room = width - label.count - share.count - count.count - 2
        guard room >= 3 else { return Self.cut(label + share + count, width) }
        let settled = sheet.extracted - sheet.inFlight - sheet.awaiting
        let all = Int(Double(room) * (read ?? 0))
        let done = sheet.extracted == 0 ? all : Int(Double(all) * Double(settled) / Double(sheet.extracted))
        let marks =
            String(repeating: "=", count: done) + String(repeating: "-", count: all - done)
            + String(repeating: " ", count: room - all)
        return "\(label)[\(marks)]\(share)\(count)"
    }

    private var percent: String {
        guard let fraction = progress.fraction, let total = progress.total else {
            return "\(progress.settled) records done of an unknown number"
        }
        // Done only when it is: 99.9 % is not 100.
        let whole = fraction >= 1 ? 100 : min(99, Int(fraction * 100))
        return "\(whole) %, \(progress.settled) of \(progress.isTotalExact ? "" : "about ")\(total) records done"
    }

    private var rate: String {
        pace.rate(progress).map { "\(Int($0.rounded())) records/s" } ?? "rate unknown"
    }

    private var remaining: String {
        if progress.job.status.isFinal { return "took \(Self.spoken(progress.activeTime))" }
        return "ETA " + (pace.remaining(progress).map(Self.spoken) ?? "unknown")
    }

    /// Such as `45 s`, `12 min 5 s` or `3 h 20 min`.
    static func spoken(_ duration: Duration) -> String {
        let seconds = Int(duration.inSeconds.rounded(.up))
        return switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
        default: "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        }
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Broken between the terms of a sum where it is too long for one line.
    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " + ") {
            let term = lines == [""] ? String(word) : "+ \(word)"
            let joined = lines[lines.count - 1].isEmpty ? term : lines[lines.count - 1] + " " + term
            if joined.count <= width || lines == [""] { lines[lines.count - 1] = joined } else { lines.append(term) }
        }
        return lines.map { cut($0, width) }
    }

    private static func cut(_ text: String, _ width: Int) -> String {
        text.count <= width ? text : String(text.prefix(max(0, width - 1))) + "…"
    }
}

extension ProgressText {
    /// For programs: numbers in the units of the tables, nothing for what is unknown.
    var record: JSONValue {
        let sheet = progress.sheet
        var record: JSONObject = [
            "reindex_id": .string(progress.job.id.text),
            "job_status": .string(progress.job.status.rawValue),
            "extracted_doc_count": .number(JSONNumber(sheet.extracted)),
            "skipped_doc_count": .number(JSONNumber(sheet.skipped)),
            "in_flight_doc_count": .number(JSONNumber(sheet.inFlight)),
            "awaiting_doc_count": .number(JSONNumber(sheet.awaiting)),
            "dead_lettered_doc_count": .number(JSONNumber(sheet.deadLettered)),
            "completed_doc_count": .number(JSONNumber(sheet.completed)),
            "total_doc_count": progress.total.map { .number(JSONNumber($0)) } ?? .null,
            "rate": pace.rate(progress).flatMap { JSONNumber($0) }.map { .number($0) } ?? .null,
            "remaining_seconds": pace.remaining(progress).map { .number(JSONNumber(Int($0.inSeconds))) } ?? .null,
        ]
        if let reason = progress.job.statusReason { record["status_reason"] = .string(reason) }
        record["slices"] = .array(
            progress.slices.map { slice in
                [
                    "slice": .number(JSONNumber(slice.index)), "page": .number(JSONNumber(slice.page)),
                    "finished": .bool(slice.finished), "extracted": .number(JSONNumber(slice.extracted)),
                    "completed": .number(JSONNumber(slice.completed)),
                ]
            }
        )
        return .object(record)
    }
}
