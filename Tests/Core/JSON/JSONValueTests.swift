// Values from bytes, and back.

import SluiceCore
import Testing

@Suite("JSON values")
struct JSONValueTests {
    @Test("a byte that needs an escape gets one wherever it stands, and no other does", arguments: 0..<256)
    func escapes(code: Int) throws {
        let character = String(Unicode.Scalar(UInt8(code)))
        let plain: Set<Int> = Set(0x20...0xFF).subtracting([0x22, 0x5C])
        for (before, behind) in [(0, 0), (7, 0), (8, 9), (3, 4), (15, 1), (20, 17)] {
            let text = String(repeating: "é", count: before / 2) + String(repeating: "a", count: before % 2) + character
            let whole = text + "\u{7F}" + String(repeating: "z", count: behind) + character
            let bytes = JSONValue.string(whole).bytes()
            #expect(try JSONValue.parse(bytes) == .string(whole))
            #expect(bytes.count { $0 == 0x5C } == (plain.contains(code) ? 0 : code == 0x5C ? 4 : 2))
        }
    }

    @Test("are what was written, fields in their order and numbers in their text")
    func parses() throws {
        let text = #"{"b":1.50,"a":[true,false,null,"x\ny","😀\ud83d\ude00"],"":{},"c":-0,"d":[]}"#
        let value = try JSONValue.parse(text)
        #expect(value["b"] == .number(try #require(JSONNumber("1.50"))))
        #expect(value["a"]?.arrayValue == [true, false, nil, "x\ny", "😀😀"])
        #expect(value.objectValue?.members.map(\.name) == ["b", "a", "", "c", "d"])
        #expect(value.description == #"{"b":1.50,"a":[true,false,null,"x\ny","😀😀"],"":{},"c":-0,"d":[]}"#)
    }

    @Test(
        "write again what they parsed",
        arguments: ["0", "\"\\\"\\\\/\\u0000\\u001f\\b\\f\\n\\r\\t\u{7F}\"", "[[{}],[1e5]]"]
    )
    func roundTrips(_ text: String) throws {
        #expect(try JSONValue.parse(text).description == text)
    }

    @Test("are written for people with a line for each field")
    func pretty() throws {
        let value: JSONValue = ["a": 1, "b": [2, ["c": "d"]], "e": [], "f": [:]]
        let text = """
            {
              "a": 1,
              "b": [
                2,
                {
                  "c": "d"
                }
              ],
              "e": [],
              "f": {}
            }
            """
        #expect(String(decoding: value.bytes(style: .pretty), as: UTF8.self) == text)
        #expect(try JSONValue.parse(text) == value)
    }

    @Test("read numbers as integers and doubles where they are")
    func numbers() throws {
        #expect(try JSONValue.parse("9223372036854775807").intValue == .max)
        #expect(try JSONValue.parse("9223372036854775808").intValue == nil)
        #expect(try JSONValue.parse("1.0").intValue == nil)
        #expect(try JSONValue.parse("-1.25e2").doubleValue == -125)
        #expect(try JSONValue.parse("1e999").doubleValue == nil)
        #expect(JSONNumber("01") == nil && JSONNumber("1 ") == nil && JSONNumber("") == nil && JSONNumber("x") == nil)
        #expect(JSONNumber(Double.infinity) == nil && JSONNumber(1e300)?.doubleValue == 1e300)
    }

    @Test("of a repeated name have the last value, at the first one's place")
    func repeated() throws {
        #expect(try JSONValue.parse(#"{"a":1,"b":2,"\u0061":3}"#).description == #"{"a":3,"b":2}"#)
        let many = (0..<40).map { "\"k\($0 % 30)\":\($0)" }.joined(separator: ",")
        let object = try #require(try JSONValue.parse("{\(many)}").objectValue)
        #expect(object.count == 30)
        #expect(object["k9"] == 39 && object["k10"] == 10)
    }

    @Test("are equal in whatever order, and different to the byte")
    func equality() throws {
        #expect(try JSONValue.parse(#"{"a":1,"b":[2]}"#) == JSONValue.parse(#"{"b":[2],"a":1}"#))
        #expect(try JSONValue.parse(#"{"a":1}"#) != JSONValue.parse(#"{"a":1,"b":2}"#))
        #expect(try JSONValue.parse("[1,2]") != JSONValue.parse("[2,1]"))
        #expect(JSONValue.string("\u{E9}") != JSONValue.string("e\u{301}"))
        var object: JSONObject = ["\u{E9}": 1, "e\u{301}": 2]
        #expect(object.count == 2)
        object["\u{E9}"] = nil
        #expect(object.members.map { Array($0.name.utf8) } == [Array("e\u{301}".utf8)])
    }
}
