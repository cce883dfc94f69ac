// A moment as HTTP writes it.
package import SluiceCore

/// Reads the dates of headers (RFC 9110, section 5.6.7).
package enum HTTPDate {
    /// The moment that a header names.
    ///
    /// - Parameters:
    ///   - text: A date in one of the three forms that HTTP knows.
    ///   - now: What century a year of two digits is in.
    /// - Returns: Nil if the header can't be understood.
    package static func read(_ text: String?, now: Timestamp) -> Timestamp? {
        text.flatMap { read($0.split { $0 == " " || $0 == "\t" }, now: now) }
    }

    /// - `Sun, 06 Nov 1994 08:49:37 GMT`, the form that is sent today
    /// - `Sunday, 06-Nov-94 08:49:37 GMT`
    /// - `Sun Nov  6 08:49:37 1994`
    static func read(_ words: [Substring], now: Timestamp) -> Timestamp? {
        if words.count == 6, words[0].hasSuffix(","), words[5] == "GMT" {
            return moment(year: words[3], month: words[2], day: words[1], time: words[4])
        }
        if words.count == 4, words[0].hasSuffix(","), words[3] == "GMT" {
            let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[2].utf8.count == 2, let short = Int(parts[2]) else { return nil }
            let year = Substring("\(fullYear(short, now: now))")
            return moment(year: year, month: parts[1], day: parts[0], time: words[2])
        }
        if words.count == 5, words[0].utf8.count == 3 {
            return moment(year: words[4], month: words[1], day: words[2], time: words[3])
        }
        return nil
    }

    /// A year that seems to be over fifty years ahead is the last one with those digits.
    private static func fullYear(_ short: Int, now: Timestamp) -> Int {
        let thisYear = now.civil.year
        let year = thisYear / 100 * 100 + short
        return year > thisYear + 50 ? year - 100 : year
    }

    private static func moment(
        year: Substring,
        month: Substring,
        day: Substring,
        time: Substring
    ) -> Timestamp? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard let month = months.firstIndex(where: { $0 == month }), let day = Int(day) else { return nil }
        return Timestamp("\(year)-\(pad(month + 1, 2))-\(pad(day, 2))T\(time)Z")
    }
}
