// Where the parts of objects and arrays lie.
import Testing

@testable import SluiceCore

@Suite("JSON members")
struct JSONMembersTests {
    @Test("members are told with their names and the bytes of their values")
    func members() throws {
        let text = #"  x{ "a" : 1 ,"b\n":{"c":[2]},"a":"}" , "d" : [ ] }y "#
        let bytes = Array(text.utf8)
        var found: [String] = []
        try bytes.span.bytes.withUnsafeBytes { buffer throws(RecordError) in
            try JSONMembers.ofObject(in: buffer, 3..<bytes.count - 2) { name, value in
                found.append("\(name)=\(String(decoding: buffer[value], as: UTF8.self))")
            }
        }
        #expect(found == ["a=1", "b\n={\"c\":[2]}", "a=\"}\"", "d=[ ]"])
    }

    @Test(
        "elements are told with the bytes of their values",
        arguments: [("[]", []), (" [ 1 , {\"a\":[]}, \"x\" ] ", ["1", "{\"a\":[]}", "\"x\""])]
    )
    func elements(text: String, expected: [String]) throws {
        #expect(try Self.elements(of: text) == expected)
    }

    @Test(
        "what is no array is refused, wherever it goes wrong",
        arguments: [
            ("", RecordError.Code.truncated), ("[1", .truncated), ("[1,", .truncated), ("[1,]", .unexpectedByte),
            ("{}", .unexpectedByte), ("[] []", .trailingBytes), ("[1]x", .trailingBytes),
            ("[{\"a\":}]", .unexpectedByte),
            ("[\"a]", .truncated), ("[tru]", .unexpectedByte),
        ]
    )
    func refusedArrays(text: String, code: RecordError.Code) {
        let error = #expect(throws: RecordError.self) { _ = try Self.elements(of: text) }
        #expect(error?.code == code)
    }

    @Test(
        "what is no object is refused, wherever it goes wrong",
        arguments: [
            ("", RecordError.Code.truncated), ("[]", .notAnObject), ("{\"a\":1", .truncated),
            ("{\"a\"}", .unexpectedByte),
            ("{\"a\":1}}", .trailingBytes), ("{\"a\":01}", .invalidNumber),
        ]
    )
    func refusedObjects(text: String, code: RecordError.Code) {
        let bytes = Array(text.utf8)
        let error = #expect(throws: RecordError.self) {
            try bytes.span.bytes.withUnsafeBytes { buffer throws(RecordError) in
                try JSONMembers.ofObject(in: buffer, 0..<bytes.count) { _, _ in }
            }
        }
        #expect(error?.code == code)
    }

    private static func elements(of text: String) throws(RecordError) -> [String] {
        let bytes = Array(text.utf8)
        var found: [String] = []
        try bytes.span.bytes.withUnsafeBytes { buffer throws(RecordError) in
            try JSONMembers.ofArray(in: buffer, 0..<bytes.count) { value in
                found.append(String(decoding: buffer[value], as: UTF8.self))
            }
        }
        return found
    }
}
