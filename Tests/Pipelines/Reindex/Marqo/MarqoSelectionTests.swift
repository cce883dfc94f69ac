// Which documents a job leaves out, and which fields of the others.

import ReindexPipeline
import SluiceCore
import Testing

@Suite("selection of Marqo documents")
struct MarqoSelectionTests {
    private let document = put(
        #"{"marqo__id":"a","marqo__lexical_title":"T","marqo__int_fields":{"n":0,"m.a":1},"marqo__float_fields":{"m.b":2.5},"#
            + #""marqo__bool_fields":{"on":0},"marqo__string_array_tags":["x"],"marqo__lexical_empty":""}"#
    )

    @Test(
        "a patch sends the id and the named fields, a map as a whole",
        arguments: [
            (["title"], #"{"_id":"a","title":"T"}"#), (["m"], #"{"_id":"a","m":{"a":1,"b":2.5}}"#),
            (["on", "tags", "other", "_id"], #"{"_id":"a","tags":["x"],"on":false}"#),
            (["m.a", "n"], #"{"_id":"a","n":0}"#),
        ]
    )
    func patch(fields: [String], expected: String) throws {
        let became = MarqoTransform(.semiStructured, patch: fields)(document)
        #expect(became.outcome == .written)
        #expect(try JSONValue.parse(became.text) == JSONValue.parse(expected))
    }

    @Test("a patch of which nothing but the id remains is skipped", arguments: [["other"], ["m.a"], ["_id"], []])
    func emptyPatch(fields: [String]) {
        #expect(MarqoTransform(.semiStructured, patch: fields)(document) == Transformed(outcome: .skipped))
    }

    @Test("a post of which nothing but the id remains is written")
    func emptyPost() {
        #expect(MarqoTransform(.semiStructured)(put(#"{"marqo__id":"a"}"#)).outcome == .written)
    }

    @Test(
        "a document that has all of the fields asked after is skipped, whatever their values",
        arguments: [
            (["title"], true), (["on", "n", "empty", "m", "tags", "_id"], true), (["_id"], true), ([], false),
            (["title", "other"], false), (["m.a"], false), (["marqo__id"], false), (["titl"], false),
        ]
    )
    func skip(fields: [String], isSkipped: Bool) {
        for patch in [nil, ["title"]] as [[String]?] {
            let became = MarqoTransform(.semiStructured, patch: patch, skip: fields)(document)
            #expect(became.outcome == (isSkipped ? .skipped : .written))
        }
    }

    @Test("what is damaged is refused, though it would be skipped")
    func damaged() {
        let damaged = put(#"{"marqo__id":"a","marqo__lexical_title":"T","marqo__int_fields":{"n":"x"}}"#)
        #expect(MarqoTransform(.semiStructured, skip: ["title"])(damaged).reason != nil)
    }

    @Test("a structured patch selects among the declared fields")
    func structured() {
        let transform = MarqoTransform(
            .structured,
            ["title": .text, "on": .bool, "café": .int],
            patch: ["on", "café"],
            skip: ["x"]
        )
        let fields = #"{"marqo__id":"a","marqo__lexical_title":"T","on":1,"marqo__filter_caf\u00e9":3}"#
        #expect(transform(put(fields)) == .written(#"{"_id":"a","on":true,"caf\u00e9":3}"#, id: "a"))
    }

    @Test("the fingerprint knows all that changes the output, and not in which order it was named")
    func fingerprint() {
        func print(
            _ kind: IndexKind = .structured,
            _ declared: [String: FieldType] = ["a": .text],
            _ fields: [String]? = nil,
            _ skip: [String] = []
        ) -> String {
            MarqoTransform(kind, declared, patch: fields, skip: skip).fingerprint
        }
        let all = [
            print(), print(.unstructured), print(.semiStructured), print(.structured, [:]),
            print(.structured, ["a": .bool]), print(.structured, ["b": .text]), print(.structured, ["a": .text], ["a"]),
            print(.structured, ["a": .text], ["b"]), print(.structured, ["a": .text], nil, ["a"]),
        ]
        #expect(Set(all).count == all.count)
        #expect(
            print(.structured, ["a": .text, "b": .int], ["x", "y"])
                == print(.structured, ["b": .int, "a": .text], ["y", "x"])
        )
        #expect(print() == #"{"marqo":1,"kind":"structured","declared":{"a":"text"},"keep":null,"skip":[]}"#)
    }
}
