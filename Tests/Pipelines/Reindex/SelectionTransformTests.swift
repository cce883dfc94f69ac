// What a post and a patch make of records.
import ReindexPipeline
import SluiceCore
import Testing

@Suite("Selection of records")
struct SelectionTransformTests {
    private func transform(_ text: String, _ transform: SelectionTransform) -> (TransformOutcome, String) {
        var batch = RecordBatch()
        let bytes = Array(text.utf8) + Array(repeating: 0, count: SourcePage.padding)
        let outcome = bytes.withUnsafeBytes { transform.transform($0, range: 0..<text.utf8.count, into: &batch) }
        return (outcome, String(decoding: batch.bytes, as: UTF8.self))
    }

    private let post = SelectionTransform(type: .post, fields: [], skipIfPresent: [], idField: "_id")

    @Test("a post passes whole records on, number by number")
    func whole() {
        let (outcome, text) = transform(#"{"_id":"a","n":1.50}"#, post)
        #expect(outcome == .written)
        #expect(text == #"{"_id":"a","n":1.50}"# + "\n")
    }

    @Test("a patch passes on its fields and the id, in the record's order")
    func patch() {
        let patch = SelectionTransform(type: .patch, fields: ["title"], skipIfPresent: [], idField: "sku")
        let (outcome, text) = transform(#"{"n":1,"title":"t","sku":7,"x":{}}"#, patch)
        #expect(outcome == .written)
        #expect(text == #"{"title":"t","sku":7}"# + "\n")
    }

    @Test(
        "a record with all fields of the skip list is skipped, and leaves nothing behind",
        arguments: [
            (#"{"_id":"a","x":1,"y":null}"#, TransformOutcome.skipped), (#"{"_id":"a","x":1}"#, .written),
            (#"{"_id":"a"}"#, .written),
        ]
    )
    func skip(record: String, expected: TransformOutcome) {
        let skipping = SelectionTransform(type: .post, fields: [], skipIfPresent: ["x", "y"], idField: "_id")
        let (outcome, text) = transform(record, skipping)
        #expect(outcome == expected)
        #expect(text.isEmpty == (expected == .skipped))
    }

    @Test(
        "a record that can't be read is refused with reason and place, and leaves nothing behind",
        arguments: [
            (#"{"n":1}"#, 6, "the record has no id field \"_id\""),
            (#"{"_id":"a","n":}"#, 15, "this byte cannot stand here"),
            (#"{"_id":"a""#, 10, "the text ends before its value does"),
            ("[]", 0, "a record must be a JSON object"),
        ]
    )
    func refused(record: String, offset: Int, reason: String) {
        let (outcome, text) = transform(record, post)
        #expect(outcome == .refused(reason: reason, offset: offset))
        #expect(text.isEmpty)
    }

    @Test("the fingerprint knows what was selected, and not in which order it was named")
    func fingerprint() {
        func print(_ fields: [String], _ skip: [String] = [], id: String = "_id") -> String {
            SelectionTransform(type: .patch, fields: fields, skipIfPresent: skip, idField: id).fingerprint
        }
        #expect(print(["a", "b"]) == print(["b", "a"]))
        #expect(
            Set([print(["a"]), print(["b"]), print(["a"], ["a"]), print(["a"], id: "x"), post.fingerprint]).count == 5
        )
        #expect(post.fingerprint == #"{"type":"post","fields":[],"skip":[],"id":"_id"}"#)
    }
}
