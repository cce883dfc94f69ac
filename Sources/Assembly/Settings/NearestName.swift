// The known name that a misspelt one was probably meant to be.

/// Names compared by how many letters would have to change.
package enum NearestName {
    /// The closest of the names, however far it is; nil only if there are none.
    package static func of(_ name: String, among names: [String]) -> String? {
        names.min { (distance(name, $0), $0) < (distance(name, $1), $1) }
    }

    /// Insertions, removals and exchanges of single bytes that make one text the other.
    package static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (line, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in right.enumerated() {
                let above = row[column + 1]
                row[column + 1] = min(above + 1, row[column] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
