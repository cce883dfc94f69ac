// Which bytes are JSON: for the scanner, as a field's value, and for the parser.

import SluiceCore
import Testing

@Suite("the JSON grammar")
struct JSONGrammarTests {
    @Test(
        "accepts every kind of value and keeps its text",
        arguments: [
            "null", "true", "false", "0", "-0", "7", "-12", "1234567890123456789012345678901234567890", "0.1", "-0.00",
            "12.50", "1e5", "1E+05", "1e-999", "1e999", "12345678.12345678e12345678", "\"\"", "\"a\"", "\"1234567\"",
            "\"12345678\"", "\"123456789 123456789\"", "\"\u{7F}\"", "\"größe 日本 😀\"", "\"\u{2028}\"",
            #""\"\\\/\b\f\n\r\t""#, #""\u0041\u00e9\u20AC\u0000""#, #""\ud83d\uDE00""#, #""1234567\"8\\""#,
            #""\\u0041""#, "[]", "[ ]", "[1]", "[1,\"2\",null,[],{}]", "{}", "{ }", "{\"\":0}", "{\"a\":{\"b\":[{}]}}",
            "{\"a\":1,\"a\":2}", "[[],[[]]]", "\"\u{10FFFF}\u{E000}\u{D7FF}\u{FFFF}\"",
        ]
    )
    func accepts(_ value: String) throws {
        let record = "{\"_id\":\"x\",\"v\":\(value)}"
        #expect(scan(record) == Scanned(text: record, id: "x"))
        _ = try JSONValue.parse(value)
        #expect(throws: Never.self) { try JSONValue.parse(" \t\r\n\(value)\n") }
    }

    @Test(
        "refuses what only looks like a value, by name",
        arguments: [
            ("", .unexpectedByte), ("nul", .unexpectedByte), ("nulL", .unexpectedByte), ("True", .unexpectedByte),
            ("truee", .unexpectedByte), ("fals1", .unexpectedByte), ("NaN", .unexpectedByte),
            ("Infinity", .unexpectedByte),
            ("+1", .unexpectedByte), (".5", .unexpectedByte), ("'a'", .unexpectedByte), ("a", .unexpectedByte),
            ("01", .invalidNumber), ("-01", .invalidNumber), ("00", .invalidNumber), ("-", .invalidNumber),
            ("-a", .invalidNumber), ("1.", .invalidNumber), ("1.e5", .invalidNumber), ("1e", .invalidNumber),
            ("1e+", .invalidNumber), ("1.5e-", .invalidNumber), ("1.5.5", .unexpectedByte), ("0x1", .unexpectedByte),
            ("1 2", .unexpectedByte), ("--1", .invalidNumber), ("1_000", .unexpectedByte), ("１", .unexpectedByte),
            ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[1 2]", .unexpectedByte), ("[1}", .unexpectedByte),
            ("[", .unexpectedByte), ("]", .unexpectedByte), ("[1]]", .unexpectedByte), ("[1:2]", .unexpectedByte),
            ("{\"a\"}", .unexpectedByte), ("{\"a\":}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte),
            ("{,}", .unexpectedByte), ("{a:1}", .unexpectedByte), ("{1:1}", .unexpectedByte),
            ("{\"a\" 1}", .unexpectedByte),
            ("{\"a\":1 \"b\":2}", .unexpectedByte), ("{\"a\":1]", .unexpectedByte), ("{\"a\"::1}", .unexpectedByte),
            ("1//", .unexpectedByte), ("/**/1", .unexpectedByte), ("\u{A0}1", .unexpectedByte),
            ("\u{C}1", .unexpectedByte),
            ("\u{FEFF}1", .unexpectedByte), ("\"a\nb\"", .controlCharacter), ("\"a\tb\"", .controlCharacter),
            ("\"1234567\u{1F}\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter), (#""\x41""#, .invalidEscape),
            (#""\a""#, .invalidEscape), (#""\'""#, .invalidEscape), (#""\U0041""#, .invalidEscape),
            (#""\u004""#, .invalidEscape), (#""\u00G0""#, .invalidEscape), (#""\u00`0""#, .invalidEscape),
            (#""\u00@0""#, .invalidEscape), (#""\u 041""#, .invalidEscape), (#""\u-041""#, .invalidEscape),
            (#""\ud800""#, .loneSurrogate), (#""\udc00""#, .loneSurrogate), (#""\ud800x""#, .loneSurrogate),
            (#""\ud800\n""#, .loneSurrogate), (#""\ud800\ud800""#, .loneSurrogate),
            (#""\udc00\ud800""#, .loneSurrogate),
            (#""\ud800\u0041""#, .loneSurrogate), (#""\ud800\u00G1""#, .invalidEscape),
            ("\"a\\\u{0}\"", .invalidEscape),
        ] as [(String, RecordError.Code)]
    )
    func refuses(_ value: String, _ code: RecordError.Code) {
        #expect(scan("{\"_id\":\"x\",\"v\":\(value)}").error?.code == code)
        #expect(scan("{\"v\":\(value),\"_id\":\"x\"}", RecordSelection(drop: ["v"])).error?.code == code)
        #expect(throws: RecordError.self) { try JSONValue.parse(value) }
    }

    @Test(
        "refuses what is not UTF-8, in values, keys and parts that leave",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x9F, 0xBF], [0xE0, 0x80, 0x80],
            [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF], [0xE2, 0x82, 0x2E, 0x61],
        ] as [[UInt8]]
    )
    func refusesBytes(_ bytes: [UInt8]) {
        for before in ["", "1234567", "12345678", "größe "] {
            let text = Array(before.utf8) + bytes
            let value = Array("{\"_id\":\"x\",\"v\":\"".utf8) + text + Array("\"}".utf8)
            let key = Array("{\"_id\":\"x\",\"".utf8) + text + Array("\":1}".utf8)
            let selections = [
                RecordSelection(), RecordSelection(drop: ["v"]), RecordSelection(keep: []),
                RecordSelection(idField: "v"),
            ]
            for selection in selections {
                #expect(scan(value, selection).error?.code == .invalidUTF8)
                #expect(scan(key, selection).error == RecordError(.invalidUTF8, at: 12 + before.utf8.count))
            }
        }
    }

    @Test("follows 256 open objects and arrays, and no more")
    func depth() {
        let deepest = JSONLimit.depthMax - 1
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            for (count, code) in [(deepest, nil), (deepest + 1, .tooDeep), (100_000, .tooDeep)]
                as [(Int, RecordError.Code?)]
            {
                let inner = open == "[" ? "" : "1"
                let value = String(repeating: open, count: count) + inner + String(repeating: close, count: count)
                let record = Array("{\"_id\":\"x\",\"v\":\(value)}".utf8)
                for selection in [RecordSelection(), RecordSelection(drop: ["v.a.x"]), RecordSelection(drop: ["v"])] {
                    #expect(scan(record, selection).error?.code == code)
                }
                #expect((try? JSONValue.parse("[\(value)]")) == nil || code == nil)
            }
        }
    }

    @Test("finds a text that is cut off anywhere to be truncated, or at fault before its end")
    func truncation() {
        let record = Array(
            #"""
             {"a":[true,false,null,{"b":-12.5e-3,"c":"\ud83d\ude00\u0041\n größe"}], "_id" : "x\"y" ,
             "d":{"e":0,"f":[[],{}]},"g":"123456781234567812345678","h":10}
            """#.utf8
        )
        let selections = [
            RecordSelection(), RecordSelection(keep: ["d", "h"]),
            RecordSelection(drop: ["a.b", "d.e", "h"], presentAll: ["g"]),
        ]
        for selection in selections {
            #expect(scan(record, selection).error == nil)
            for count in 0..<record.count {
                #expect(scan(Array(record[..<count]), selection).error == RecordError(.truncated, at: count))
            }
        }
        for count in 0..<record.count {
            #expect(throws: RecordError(.truncated, at: count)) { try JSONValue.parse(record[..<count]) }
        }
    }

    @Test("says where it went wrong")
    func offsets() {
        #expect(scan("{\"a\":tru1}").error == RecordError(.unexpectedByte, at: 8))
        #expect(scan(" [1]").error == RecordError(.notAnObject, at: 1))
        #expect(scan("{\"_id\":\"x\"} {").error == RecordError(.trailingBytes, at: 12))
        #expect(scan("{\"_id\":\"größe\\q\"}").error == RecordError(.invalidEscape, at: 16))
        #expect(scan("{}").error == RecordError(.missingID, at: 1, field: "_id"))
        #expect(scan("{\"a\":1}").error?.description == "the record has no id field \"_id\" (missingID at byte 6)")
    }
}
