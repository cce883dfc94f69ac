// What becomes of a message's bytes on their way through SQS.
import SluiceCore
import Testing

@testable import AWSDriver

@Suite("A message's text")
struct MessageTextTests {
    @Test(
        "what is text already stays as it is",
        arguments: ["{}", "{\"ü\":\"日本\\n\"}", "a\tb\r\nc", "\u{7F}\u{10FFFF}\u{FFFD}"]
    )
    func plain(text: String) {
        #expect(MessageText.text(of: Array(text.utf8)) == text)
        #expect(MessageText.bytes(of: text) == Array(text.utf8))
    }

    @Test(
        "what SQS would refuse goes as marked Base64, and comes back byte for byte",
        arguments: [
            [], [0], Array(0...255), [0xFF, 0xFE], [0xC0, 0x80], Array("a\u{B}b".utf8), Array("x\u{FFFE}".utf8),
            Array("\u{FFFF}".utf8), [0xED, 0xA0, 0x80], Array("base64:AAAA".utf8), Array("base64:".utf8),
        ] as [[UInt8]]
    )
    func marked(bytes: [UInt8]) {
        let text = MessageText.text(of: bytes)
        #expect(text.hasPrefix("base64:"))
        #expect(MessageText.bytes(of: text) == bytes)
    }

    @Test("a text that only looks marked is somebody else's, and stays")
    func foreign() {
        #expect(MessageText.bytes(of: "base64:not!") == Array("base64:not!".utf8))
    }

    @Test("the largest body is within SQS's limit, and one byte more might not be")
    func largest() {
        #expect(MessageText.text(of: Array(repeating: 0, count: MessageText.bytesMax)).utf8.count <= 1 << 20)
        #expect(MessageText.text(of: Array(repeating: 0, count: MessageText.bytesMax + 1)).utf8.count > 1 << 20)
    }
}
