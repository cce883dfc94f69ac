// What a peer may write into Retry-After.
import HTTPDriver
import SluiceCore
import Testing

@Suite("Retry-After")
struct RetryAfterTests {
    /// 1994-11-06T08:49:30Z.
    private let now = Timestamp(milliseconds: 784_111_770_000)

    @Test(
        "seconds and the three forms of dates are understood",
        arguments: [
            ("0", 0), ("7", 7), ("  12 ", 12), ("600", 600), ("601", 600), ("99999999999999999999999", 600),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 7), ("Sunday, 06-Nov-94 08:49:37 GMT", 7),
            ("Sun Nov  6 08:49:37 1994", 7), ("Sun Nov 16 08:49:37 1994", 600), ("Sun, 06 Nov 1994 08:49:00 GMT", 0),
            // Seventy-five years ahead of 1994 would be 2069; 1969 it is, and long past.
            ("Thursday, 06-Nov-69 08:49:37 GMT", 0), ("Wednesday, 06-Nov-44 08:49:37 GMT", 0),
            ("Saturday, 06-Nov-99 08:49:37 GMT", 600),
        ]
    )
    func understood(text: String, seconds: Int) {
        #expect(RetryAfter.wait(text, now: now) == .seconds(seconds))
    }

    @Test(
        "anything else says nothing",
        arguments: [
            "", " ", "soon", "-1", "1.5", "1 2", "Sun, 06 Nov 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Mov 1994 08:49:37 GMT", "Sunday, 06-Nov GMT 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET", "١٢",
        ]
    )
    func misunderstood(text: String) {
        #expect(RetryAfter.wait(text, now: now) == nil)
    }

    @Test("the longest wait is the caller's to set")
    func bounded() {
        #expect(RetryAfter.wait("3600", now: now, longest: .seconds(30)) == .seconds(30))
        #expect(RetryAfter.wait(nil, now: now) == nil)
    }
}
