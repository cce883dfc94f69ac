// Tries the walk over records in an array.
import Testing

@testable import SluiceCore

@Suite("The walk over records in an array")
struct JSONRecordWalkTests {
    private func walk(_ text: String) throws -> (found: Bool, elements: [[String?]]) {
        let bytes = Array(text.utf8)
        var elements: [[String?]] = []
        let found = try bytes.withUnsafeBytes { buffer in
            try JSONRecordWalk.walk(buffer, 0..<buffer.count, array: "documents", key: "_id") { element in
                let key = element.key.map { String(decoding: buffer[$0], as: UTF8.self) }
                elements.append([String(decoding: buffer[element.range], as: UTF8.self), key])
            }
        }
        return (found, elements)
    }

    @Test(
        "tells where each element and its key stand",
        arguments: [
            (#"{"documents":[]}"#, []),
            (#"{"documents":[{"_id":"a"},{"x":[{"_id":"no"}],"_id" : "b" }]}"#, ["\"a\"", "\"b\""]),
            (#" { "a" : 1, "documents" : [ {"_id":5} , {} , 7 ] , "z":{"documents":[1]} } "#, ["5", nil, nil]),
            (#"{"documents":[{"_id":"a","_id":"b"}]}"#, ["\"b\""]),
            (#"{"\u0064ocuments":[{"\u005fid":"\u0061"}]}"#, [#""\u0061""#]),
        ] as [(String, [String?])]
    )
    func places(text: String, keys: [String?]) throws {
        let (found, elements) = try walk(text)
        #expect(found)
        #expect(elements.map { $0[1] } == keys)
        for element in elements { #expect(throws: Never.self) { try JSONValue.parse(element[0] ?? "") } }
    }

    @Test("says when there is no such array", arguments: ["{}", #"{"documents":{}}"#, #"{"x":[{"_id":"a"}]}"#])
    func missing(text: String) throws {
        #expect(try !walk(text).found)
    }

    @Test(
        "refuses what is no JSON object, and every beginning of one",
        arguments: ["", "[]", "7", #"{"documents":[{"_id":"a"}]} x"#, #"{"documents":[{"_id":"a"},]}"#]
    )
    func refuses(text: String) {
        #expect(throws: RecordError.self) { try walk(text) }
    }

    @Test("refuses a text that ends early, wherever it ends")
    func truncated() {
        let text = #"{"documents":[{"_id":"a","n":12.5,"t":true},{"_id":"b"}]}"#
        for count in 0..<text.utf8.count {
            #expect(throws: RecordError.self) { try walk(String(text.prefix(count))) }
        }
    }
}
