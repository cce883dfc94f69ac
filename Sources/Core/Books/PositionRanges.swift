// Positions of a chunk as a short text: a receipt mostly covers all of them.

/// Writes positions as ranges, as in `0-98,100`.
enum PositionRanges {
    /// - Precondition: no position is negative.
    static func text(_ positions: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for position in positions {
            if let last = ranges.last, position == last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...position
            } else {
                ranges.append(position...position)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// The positions in the order in which they were written, or nil if the text is of another form or one is too high.
    static func positions(_ text: String, below count: Int) -> [Int]? {
        var positions: [Int] = []
        if text.isEmpty { return positions }
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends[0], let last = ends[ends.count - 1], 0 <= first, first <= last, last < count else {
                return nil
            }
            positions += first...last
        }
        return positions
    }
}
