// The readable encoding of items loses nothing and refuses what it did not write.
import SluiceCore
import Testing

@Suite("Items as JSON")
struct AttributeJSONTests {
    static let items: [AttributeMap] = [
        [:],
        ["null": .null, "yes": .bool(true), "no": .bool(false)],
        ["max": .int(.max), "min": .int(.min), "zero": .int(0)],
        [
            "one": .double(1), "tiny": .double(.leastNonzeroMagnitude), "huge": .double(.greatestFiniteMagnitude),
            "minus": .double(-0.0),
        ],
        ["third": .double(1.0 / 3), "inf": .double(.infinity), "minus": .double(-.infinity)],
        ["text": .string("a \"quoted\" \\ line\nnext\u{0}\u{1F} \u{E9} e\u{301} 👩‍👩‍👧 \u{2028}"), "": .string("")],
        ["bytes": .bytes(Array(0...255)), "one": .bytes([0]), "two": .bytes([1, 2]), "none": .bytes([])],
        ["$bytes": .string("x"), "$": .int(1), "$$a": .int(2), "$double": .string("nan"), " $bytes": .int(3)],
        ["map": .map(["$bytes": .string("AA==")]), "other": .map(["$double": .string("inf"), "b": .int(1)])],
        ["blank": .map([" $bytes": .string("AA==")]), "accent": .map(["$\u{301}": .int(1)])],
        ["list": .list([.list([]), .map([:]), .map(["a": .list([.null, .double(2)])]), .bytes([9])])],
    ]

    @Test("an item comes back as it was", arguments: items)
    func roundTrip(_ item: AttributeMap) throws {
        let text = AttributeJSON.encode(item)
        #expect(AttributeJSON.decode(text) == item)
        #expect(try AttributeJSON.encode(#require(AttributeJSON.decode(text))) == text)
    }

    @Test("minus zero keeps its sign and no number stays none")
    func specialDoubles() throws {
        let item: AttributeMap = ["nan": .double(.nan), "zero": .double(-0.0)]
        let back = try #require(AttributeJSON.decode(AttributeJSON.encode(item)))
        guard case .double(let nan)? = back["nan"], case .double(let zero)? = back["zero"] else {
            Issue.record("not doubles: \(back)")
            return
        }
        #expect(nan.isNaN && zero.sign == .minus)
    }

    @Test("escapes are read that we don't write, but other programs do")
    func escapes() {
        let text = #"{"a":"\ud83d\uDE00 \b\f\/\u00e9"}"#
        #expect(AttributeJSON.decode(Array(text.utf8)) == ["a": .string("😀 \u{8}\u{C}/é")])
        for spoilt in [#"\ud83d"#, #"\ud83dx"#, #"\ud83d\n"#, #"\ude00"#, #"\ud83d\ud83d"#, #"\u+123"#, #"\u12"#] {
            #expect(AttributeJSON.decode(Array("{\"a\":\"\(spoilt)\"}".utf8)) == nil, "\(spoilt)")
        }
    }

    @Test("people can read it")
    func readable() {
        let item: AttributeMap = ["n": .int(1), "d": .double(1), "b": .bytes([1, 2, 3]), "t": .string("é")]
        let text = String(decoding: AttributeJSON.encode(item), as: UTF8.self)
        #expect(text == #"{"b":{"$bytes":"AQID"},"d":1.0,"n":1,"t":"é"}"#)
    }

    @Test(
        "what is not an item's encoding is refused",
        arguments: [
            "", "1", "[]", "{", "{}x", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":tru}", "{\"a\":\"\\x\"}",
            "{\"a\":9223372036854775808}", "{\"a\":{\"$bytes\":\"A\"}}", "{\"a\":{\"$other\":\"A\"}}", "{\"$a\":1}",
            "{\"a\":{\"$bytes\":\"AA==\",\"b\":1}}", "{\"a\":\"open", "{\"a\":--1}", "{\"a\":[1 2]}",
            "{\"a\":" + String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000) + "}",
        ]
    )
    func refused(_ text: String) {
        #expect(AttributeJSON.decode(Array(text.utf8)) == nil)
    }

    @Test("text that is not UTF-8 is refused")
    func notUTF8() {
        #expect(AttributeJSON.decode([0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D]) == nil)
    }
}
