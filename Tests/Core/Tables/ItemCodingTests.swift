// Items of Swift types as attributes, there and back.
import SluiceCore
import Testing

@Suite("Item coding")
struct ItemCodingTests {
    private struct Everything: Codable, Equatable {
        var text = "é"
        var whole = Int.max
        var small: UInt8 = 255
        var ratio = 0.1
        var flag = true
        var bytes: [UInt8] = [0, 255]
        var noBytes: [UInt8] = []
        var numbers = [1, 2, 3]
        var noNumbers: [Int] = []
        var noTexts: [String] = []
        var nothing: Int?
        var something: Int? = 7
        var nested = Nested()
        var list = [Nested(), Nested(name: "b")]
        var map = ["a": 1]

        struct Nested: Codable, Equatable {
            var name = "a"
            var bytes: [UInt8]? = [1]
        }
    }

    @Test("every kind of property comes back as it was")
    func roundTrip() throws {
        let item = try ItemCoding.encode(Everything())
        #expect(try ItemCoding.decode(Everything.self, from: item) == Everything())
        #expect(item["nothing"] == nil)
        #expect(item["bytes"] == .bytes([0, 255]))
    }

    @Test("an empty list is a list, and empty bytes are bytes")
    func emptiness() throws {
        let item = try ItemCoding.encode(Everything())
        #expect(item["noNumbers"] == .list([]))
        #expect(item["noTexts"] == .list([]))
        #expect(item["noBytes"] == .bytes([]))
    }

    @Test(
        "what is missing or of another kind is named",
        arguments: [
            (AttributeMap(), "text"), (["text": .int(1)], "text"),
        ]
    )
    func errors(item: AttributeMap, name: String) {
        #expect { try ItemCoding.decode(Everything.self, from: item) } throws: { "\($0)".contains(name) }
    }

    @Test("a number that does not fit is refused")
    func overflow() {
        #expect(throws: EncodingError.self) { try ItemCoding.encode(["a": UInt64.max]) }
        #expect(throws: DecodingError.self) { try ItemCoding.decode([String: UInt8].self, from: ["a": .int(256)]) }
    }
}
