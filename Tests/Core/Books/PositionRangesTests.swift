// Tries the short text for the positions that a receipt covers.
import Testing

@testable import SluiceCore

@Suite("Positions as ranges")
struct PositionRangesTests {
    @Test(
        "positions come back as they were",
        arguments: [
            ([0], "0"), (Array(0..<100), "0-99"), ([0, 1, 2, 5, 7, 8], "0-2,5,7-8"), ([3, 2, 1], "3,2,1"),
            ([99], "99"), ([], ""),
        ]
    )
    func roundTrip(positions: [Int], text: String) {
        #expect(PositionRanges.text(positions) == text)
        #expect(PositionRanges.positions(text, below: 100) == positions)
    }

    @Test(
        "another form, or a position that the chunk has not, is refused",
        arguments: ["100", "0-100", "5-4", "-1", "1-", "a", "1,,2", ",", "0-99999999999", "1-2-3", " 1"]
    )
    func refuses(text: String) {
        #expect(PositionRanges.positions(text, below: 100) == nil)
    }
}
