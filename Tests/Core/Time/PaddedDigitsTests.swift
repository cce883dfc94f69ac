// Tries numbers with leading zeros, however many digits they have.
import SluiceCore
import Testing

@Suite("Padded numbers")
struct PaddedDigitsTests {
    @Test(
        "have zeros up to their width, and all their digits beyond it",
        arguments: [
            (0, 1, "0"), (0, 4, "0000"), (7, 3, "007"), (123, 3, "123"), (1234, 3, "1234"), (90, 0, "90"),
            (1, 25, "0000000000000000000000001"), (Int.max, 3, "9223372036854775807"),
            (Int.min, 3, "9223372036854775808"),
        ]
    )
    func text(number: Int, width: Int, text: String) {
        #expect(pad(number, width) == text)
    }

    @Test(
        "keep a moment's text whole however far away the moment is",
        arguments: [Int64.max, -4_000_000_000_000_000_000]
    )
    func distant(milliseconds: Int64) {
        let text = Timestamp(milliseconds: milliseconds).description
        #expect(text.hasSuffix("Z") && text.split(separator: ":").count == 3, "\(text)")
    }

    @Test("keep a chunk's path whole however large its numbers are")
    func largeChunk() {
        let job = JobID(now: Timestamp(milliseconds: 0), random: SeededRandomSource(seed: 1))
        let path = ChunkID(job: job, slice: .max, page: .max, epoch: .max, number: .max).path
        #expect(path == Array(repeating: "9223372036854775807", count: 4).joined(separator: "#"))
    }
}
