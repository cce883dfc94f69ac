// A table for people: columns as wide as they need to be.

/// Rows of cells under headings.
struct TextTable {
    enum Side { case left, right }

    struct Column {
        let heading: String
        let side: Side

        static func text(_ heading: String) -> Column { Column(heading: heading, side: .left) }
        static func number(_ heading: String) -> Column { Column(heading: heading, side: .right) }
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: Column...) {
        self.columns = columns
    }

    mutating func add(_ cells: String...) {
        precondition(cells.count == columns.count, "a row has a cell for each column")
        // A line break or a control character in a cell would break the table, or the terminal.
        rows.append(cells.map(Self.visible))
    }

    var text: String {
        let headings = columns.map(\.heading)
        let widths = columns.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([headings] + rows).map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let room = String(repeating: " ", count: widths[index] - cell.count)
            line += columns[index].side == .left ? cell + room : room + cell
            if index < cells.count - 1 { line += "  " }
        }
        return String(line.reversed().drop { $0 == " " }.reversed())
    }

    static func visible(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }
}
