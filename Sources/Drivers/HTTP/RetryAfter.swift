// How long a peer asks us to wait.
package import SluiceCore

/// Reads `Retry-After` (RFC 9110, section 10.2.3).
package enum RetryAfter {
    /// The wait that a header asks for.
    ///
    /// - Parameters:
    ///   - text: Seconds, or a date in one of the three forms that HTTP knows.
    ///   - now: What a date is counted from, and what century a year of two digits is in.
    ///   - longest: A peer that asks for more gets this much.
    /// - Returns: From 0 to `longest`; nil if the header says nothing that can be understood.
    package static func wait(_ text: String?, now: Timestamp, longest: Duration = .seconds(600)) -> Duration? {
        guard let text else { return nil }
        let words = text.split { $0 == " " || $0 == "\t" }
        if words.count == 1, words[0].utf8.allSatisfy({ (48...57).contains($0) }) {
            // A number too long to count is longer than the longest.
            return Int64(words[0]).map { min(.seconds(min($0, 1 << 40)), longest) } ?? longest
        }
        guard let date = HTTPDate.read(words, now: now) else { return nil }
        return min(max(.zero, now.duration(to: date)), longest)
    }
}
