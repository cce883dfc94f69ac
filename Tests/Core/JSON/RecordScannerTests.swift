// What the scanner writes: the id, the fields that stay, the fields that leave.

import SluiceCore
import Testing

@Suite("the record scanner")
struct RecordScannerTests {
    @Test(
        "finds the id, and says its text",
        arguments: [
            (#"{"_id":"a"}"#, "a"), (#"{"_id":12}"#, "12"), (#"{"_id":-7}"#, "-7"), (#"{"_id":0}"#, "0"),
            (#"{"_id":123456789012345678901234567890}"#, "123456789012345678901234567890"),
            (#"{"a":{"_id":1},"_id":"ö","b":[{"_id":2}]}"#, "ö"), (#"{"\u005fid":"x"}"#, "x"),
            (#"{"\u005f\u0069\u0064":"x"}"#, "x"),
            (#"{"_id":"a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}"#, "a\"\\/\u{8}\u{C}\n\r\té😀"),
            (#"{"_id" : " "}"#, " "), (#"{"_id":"\u0000"}"#, "\0"), (#"{"_ids":1,"_i":2,"id":3,"_id":"x"}"#, "x"),
        ]
    )
    func id(_ record: String, _ id: String) {
        #expect(scan(record) == Scanned(text: record, id: id))
    }

    @Test(
        "refuses a record without a usable id, by name",
        arguments: [
            ("{}", .missingID), (#"{"id":"x"}"#, .missingID), (#"{"a":{"_id":"x"}}"#, .missingID),
            (#"{"_ID":"x"}"#, .missingID), (#"{"_id":""}"#, .emptyID), (#"{"_id":null}"#, .invalidID),
            (#"{"_id":true}"#, .invalidID), (#"{"_id":1.0}"#, .invalidID), (#"{"_id":1e3}"#, .invalidID),
            (#"{"_id":-1.5}"#, .invalidID), (#"{"_id":["x"]}"#, .invalidID), (#"{"_id":{}}"#, .invalidID),
            (#"{"_id":"x","_id":"x"}"#, .duplicateID), (#"{"_id":"x","\u005fid":"y"}"#, .duplicateID),
            (#"{"_id":1,"_id":2}"#, .duplicateID), ("[]", .notAnObject), ("\"_id\"", .notAnObject), ("", .truncated),
            ("  \n", .truncated), (#"{"_id":"x"}}"#, .trailingBytes), (#"{"_id":"x"}{"_id":"x"}"#, .trailingBytes),
        ] as [(String, RecordError.Code)]
    )
    func refuses(_ record: String, _ code: RecordError.Code) {
        #expect(scan(record).error?.code == code)
        #expect(scan(record, RecordSelection(keep: [], drop: ["_id"])).error?.code == code)
    }

    @Test("finds an id under another name, of any length and with dots")
    func otherID() {
        for name in ["k", "12345678", "123456789", "a.b", "größe", "0123456789abcdef0123456789"] {
            let record = "{\"_id\":1,\"\(name)\":\"x\",\"\(name)2\":2}"
            #expect(scan(record, RecordSelection(idField: name)) == Scanned(text: record, id: "x"))
        }
        #expect(scan(#"{"":"x"}"#, RecordSelection(idField: "")).id == "x")
    }

    @Test(
        "drops fields by path, wherever they stand",
        arguments: [
            (["a"], #"{"_id":"x","a":1}"#, #"{"_id":"x"}"#), (["a"], #"{"a":1,"_id":"x"}"#, #"{"_id":"x"}"#),
            (["a"], #"{"b":1,"a":{"c":[1,"}"]},"_id":"x"}"#, #"{"b":1,"_id":"x"}"#),
            (["a", "b"], #"{"a":1,"b":2,"_id":"x","b":3,"a":4}"#, #"{"_id":"x"}"#),
            (["a", "c"], #"{"a":1,"b":2,"c":3,"_id":"x"}"#, #"{"b":2,"_id":"x"}"#),
            (["a.b"], #"{"_id":"x","a":{"b":1}}"#, #"{"_id":"x","a":{}}"#),
            (["a.b"], #"{"_id":"x","a":{"b":1,"c":2},"b":3}"#, #"{"_id":"x","a":{"c":2},"b":3}"#),
            (["a.b"], #"{"_id":"x","a":[{"b":1},[{"c":2,"b":3}],4,"b"]}"#, #"{"_id":"x","a":[{},[{"c":2}],4,"b"]}"#),
            (["a[].b"], #"{"_id":"x","a":[{"b":1},{"c":2}]}"#, #"{"_id":"x","a":[{},{"c":2}]}"#),
            (["a.b.c", "a.d"], #"{"_id":"x","a":{"b":{"c":1,"e":2},"d":3}}"#, #"{"_id":"x","a":{"b":{"e":2}}}"#),
            (["a", "a.b"], #"{"a":{"b":1,"c":2},"_id":"x"}"#, #"{"_id":"x"}"#),
            (["a.b", "a"], #"{"a":{"b":1,"c":2},"_id":"x"}"#, #"{"_id":"x"}"#),
            (["a.b"], #"{"_id":"x","a":"b","a":null,"a":[]}"#, #"{"_id":"x","a":"b","a":null,"a":[]}"#),
            (["a.b"], #"{"_id":"x","\u0061":{"\u0062":1,"c":2}}"#, #"{"_id":"x","\u0061":{"c":2}}"#),
            (["_id", "a"], #"{"_id":"x","a":1}"#, #"{"_id":"x"}"#), ([""], #"{"":1,"_id":"x"}"#, #"{"_id":"x"}"#),
            (["a."], #"{"a":{"":1,"b":2},"_id":"x"}"#, #"{"a":{"b":2},"_id":"x"}"#),
            (["a"], #" { "a" : 1 , "_id" : "x" , "a" : [ ] } "#, #"{ "_id" : "x"}"#),
            (["größen.länge"], #"{"größen":[{"länge":1,"x":2}],"_id":"x"}"#, #"{"größen":[{"x":2}],"_id":"x"}"#),
        ]
    )
    func drops(_ paths: [String], _ record: String, _ written: String) {
        #expect(scan(record, RecordSelection(drop: paths)) == Scanned(text: written, id: "x"))
    }

    @Test(
        "keeps only what is named, and the id",
        arguments: [
            ([], #"{"a":1,"_id":"x","b":2}"#, #"{"_id":"x"}"#),
            (["b"], #"{"a":1,"_id":"x","b":2}"#, #"{"_id":"x","b":2}"#),
            (["b"], #"{"b":1,"a":{"b":2},"\u0062":3,"_id":"x"}"#, #"{"b":1,"\u0062":3,"_id":"x"}"#),
            (["b.c"], #"{"b":{"c":1},"b.c":2,"_id":"x"}"#, #"{"b.c":2,"_id":"x"}"#),
            (["é"], "{\"e\u{301}\":1,\"\u{E9}\":2,\"_id\":\"x\"}", "{\"\u{E9}\":2,\"_id\":\"x\"}"),
        ]
    )
    func keeps(_ fields: [String], _ record: String, _ written: String) {
        // By bytes: Swift holds both spellings of é for one string.
        #expect(Array(scan(record, RecordSelection(keep: fields)).text.utf8) == Array(written.utf8))
    }

    @Test("drops beneath what it keeps")
    func keepsAndDrops() {
        let selection = RecordSelection(keep: ["a", "b"], drop: ["a.x", "b", "c.x"])
        let written = scan(#"{"a":{"x":1,"y":2},"b":3,"c":{"x":4},"_id":5}"#, selection)
        #expect(written == Scanned(text: #"{"a":{"y":2},"_id":5}"#, id: "5"))
    }

    @Test("says whether the record has all that is asked after, whatever of it is written")
    func presentAll() {
        func isPresent(_ names: [String], keep: [String]? = nil, drop: [String] = []) -> Bool {
            let record = #"{"_id":"x","a":null,"\u0062":{"c":1},"d":2,"a":3}"#
            return scan(record, RecordSelection(keep: keep, drop: drop, presentAll: names)).presentAll
        }
        #expect(isPresent(["a"]))
        #expect(isPresent(["a", "b", "d", "_id", "a"]))
        #expect(isPresent(["a", "b"], keep: ["a", "b"], drop: ["b.c"]))
        #expect(!isPresent([]), "all of nothing would skip every record")
        #expect(!isPresent(["a", "e"]))
        #expect(!isPresent(["c"]), "only the top counts")
        #expect(!isPresent(["b.c"]))
        #expect(isPresent(["a", "d"], keep: ["a"]), "what is not written is there all the same")
        #expect(isPresent(["a"], drop: ["a"]))
        let names = (0..<JSONLimit.presentAllMax).map { "field\($0)" }
        let fields = names.map { "\"\($0)\":0" }
        let selection = RecordSelection(presentAll: names)
        #expect(scan("{\"_id\":1,\(fields.joined(separator: ","))}", selection).presentAll)
        #expect(!scan("{\"_id\":1,\(fields.dropLast().joined(separator: ","))}", selection).presentAll)
    }

    @Test("puts a record of many lines on one, and still finds its id")
    func oneLine() {
        let record =
            "\r\n{\r\n  \"a\": [\n\t1,\n 2 ],\n\n  \"b\" :\r 3,\n  \"_id\"\n:\n \"x y\",\r\n  \"c\": \" d\\n  e\"\r\n}\n"
        #expect(scan(record) == Scanned(text: #"{"a": [1,2 ],"b" :3,"_id":"x y","c": " d\n  e"}"#, id: "x y"))
        let dropped = scan(record, RecordSelection(drop: ["a", "c"]))
        #expect(dropped == Scanned(text: #"{"b" :3,"_id":"x y"}"#, id: "x y"))
    }

    @Test("takes the first records away, and what is left says the same")
    func removal() throws {
        let scanner = RecordScanner(RecordSelection())
        let records = [#"{"_id":"one","a":1}"#, #"{"_id":2}"#, #"{"b":true,"_id":"three"}"#]
        for count in 0...3 {
            var batch = RecordBatch()
            for record in records { try scanner.scan(Array(record.utf8).span.bytes, into: &batch) }
            batch.removeFirst(count)
            #expect(batch.count == 3 - count)
            #expect(
                batch.entries.indices.map { String(decoding: batch.record(at: $0), as: UTF8.self) }
                    == Array(records[count...])
            )
            #expect(batch.entries.indices.map { batch.id(at: $0) } == Array(["one", "2", "three"][count...]))
        }
    }

    @Test("writes record after record into one buffer, and takes the last one back")
    func batch() throws {
        let scanner = RecordScanner(RecordSelection(drop: ["z"]))
        var batch = RecordBatch()
        let page = Array("{\"_id\":1}\n{\"z\":0,\"_id\":\"zwei\"}\n{\"_id\":}".utf8)
        try scanner.scan(page.span.bytes, range: 0..<9, into: &batch)
        try scanner.scan(page.span.bytes, range: 10..<30, into: &batch)
        #expect(throws: RecordError(.unexpectedByte, at: 7)) {
            try scanner.scan(page.span.bytes, range: 31..<39, into: &batch)
        }
        #expect(String(decoding: batch.bytes, as: UTF8.self) == "{\"_id\":1}\n{\"_id\":\"zwei\"}\n")
        #expect(batch.entries.map(\.range) == [0..<9, 10..<24])
        #expect(batch.entries.map(\.idRange) == [7..<8, 18..<22])
        #expect([batch.id(at: 0), batch.id(at: 1)] == ["1", "zwei"])
        batch.removeLast()
        #expect(String(decoding: batch.bytes, as: UTF8.self) == "{\"_id\":1}\n")
        batch.removeAll()
        #expect(batch.isEmpty && batch.bytes.isEmpty)
    }
}
