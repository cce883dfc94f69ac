// Moments as text: what is written reads back, sorts as time does, and agrees with Foundation's calendar.
import Foundation
import SluiceCore
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test("read back what they wrote, and agree with Foundation")
    func roundTrip() throws {
        let random = SeededRandomSource(seed: 5)
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        let odd: [Int64] = [0, -1, 951_782_399_999, 951_782_400_000, 1_709_164_800_000, 253_402_300_799_999]
        for milliseconds in odd + (0..<500).map({ _ in Int64(random.next() % 8_000_000_000_000) - 2_000_000_000_000 }) {
            let moment = Timestamp(milliseconds: milliseconds)
            #expect(Timestamp(moment.description) == moment)
            // Doubles that stand for milliseconds may lie a little below them.
            let date = Date(timeIntervalSince1970: (Double(milliseconds) + 0.2) / 1000)
            #expect(moment.description == date.formatted(format))
        }
    }

    @Test("may leave out the fraction")
    func noFraction() {
        #expect(Timestamp("1970-01-01T00:00:01Z") == Timestamp(milliseconds: 1000))
    }

    @Test(
        "refuse what is no moment",
        arguments: [
            "", "2026-11-21", "2026-11-21T10:00:00", "2026-11-21 10:00:00Z", "2026/11/21T10:00:00Z",
            "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.1Z", "2026-01-01T00:00:00.1234Z",
            "2026-01-01T00:00:00+01:00", "2026-01-00T00:00:00Z", "2O26-01-01T00:00:00Z",
        ]
    )
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("count whole seconds downwards, before 1970 too")
    func seconds() {
        #expect(Timestamp(milliseconds: 1999).seconds == 1)
        #expect(Timestamp(milliseconds: -1).seconds == -1)
        #expect(Timestamp(milliseconds: -1000).seconds == -1)
        #expect(Timestamp(milliseconds: -1001).seconds == -2)
    }
}
