// Why documents are refused, in words, with the place and the id as far as it is known.

import ReindexPipeline
import SluiceCore
import Testing

@Suite("refusals of Vespa documents")
struct MarqoRefusalTests {
    private static let declared: [String: FieldType] = ["sale": .bool, "title": .text, "w": .intMap]
    private static let set = "; correct it with sluice index set"

    @Test(
        "a field that is not what it should be is named, with what stands there and what was expected",
        arguments: [
            (.structured, #""marqo__filter_sale":2"#, #"field "sale": expected 0 or 1 for a bool, found 2"#),
            (.structured, #""sale":true"#, #"field "sale": expected 0 or 1 for a bool, found true"#),
            (.structured, #""sale":1.0"#, #"field "sale": expected 0 or 1 for a bool, found 1.0"#),
            (
                .structured, #""marqo__lexical_title":"T","marqo__filter_title":"U""#,
                #"field "title": expected the same value wherever it stands, "#
                    + #"found "T" in marqo__lexical_title and "U" in marqo__filter_title"#
            ),
            (
                .structured, #""sale":1,"marqo__filter_sale":0"#,
                #"field "sale": expected the same value wherever it stands, found true in sale and false in marqo__filter_sale"#
            ),
            (
                .structured, #""other":1"#,
                #"field "other": found as other, expected only fields that the index record declares; "#
                    + "declare it with sluice index set"
            ),
            (
                .structured, #""marqo__lexical_oth\u0065r":"x""#,
                #"field "other": found as marqo__lexical_other, expected only fields that the index record declares; "#
                    + "declare it with sluice index set"
            ),
            (
                .structured, #""w":7"#, #"field "w": expected an object or a list of keys and values, found 7"#
            ),
            (
                .structured, #""w":[{"key":"a","value":1},{"key":"a","value":1}]"#,
                #"field "a": stands twice in its map"#
            ),
            (.structured, #""marqo__lexical_title":null"#, #"field "title": expected a string, found null"#),
            (.semiStructured, #""marqo__lexical_t":["x"]"#, #"field "t": expected a string, found a list"#),
            (
                .semiStructured, #""marqo__int_fields":{"n":"x\ny"}"#,
                #"field "n": expected a number, found "x\ny""#
            ),
            (
                .unstructured, #""marqo__int_fields":7"#,
                #"field "marqo__int_fields": expected an object or a list of keys and values, found 7"#
            ),
            (
                .unstructured, #""marqo__float_fields":[1]"#,
                #"field "marqo__float_fields": expected objects with key and value in its list, found 1"#
            ),
            (
                .unstructured, #""marqo__float_fields":[{"value":1}]"#,
                #"field "marqo__float_fields": expected a key for each value in its list, found an object"#
            ),
            (
                .unstructured, #""marqo__float_fields":[{"key":1}]"#,
                #"field "marqo__float_fields": expected a string as the key of each entry, found 1"#
            ),
            (
                .unstructured, #""marqo__bool_fields":{"b":"yes"}"#,
                #"field "b": expected a number for a bool, found "yes""#
            ),
            (
                .unstructured, #""marqo__long_string_fields":{"s":{}}"#,
                #"field "s": expected a string, found an object"#
            ),
            (
                .unstructured, #""marqo__string_array":["t::x","abc"]"#,
                #"field "marqo__string_array": expected <field>::<value>, found "abc""#
            ),
            (
                .unstructured, #""marqo__string_array":["::x"]"#,
                #"field "marqo__string_array": expected <field>::<value>, found "::x""#
            ),
            (
                .unstructured, #""marqo__string_array":[1]"#,
                #"field "marqo__string_array": expected strings in its list, found 1"#
            ),
            (
                .unstructured, #""marqo__string_array":{}"#,
                #"field "marqo__string_array": expected a list of strings, found an object"#
            ),
            (
                .semiStructured, #""marqo__string_array_t":"x""#,
                #"field "t": expected a list of strings, found "x""#
            ),
            (
                .semiStructured, #""marqo__string_array_t":["x",1]"#,
                #"field "t": expected strings in its list, found 1"#
            ),
            (
                .semiStructured, #""marqo__field_types":[],"marqo__field_types":[]"#,
                #"field "marqo__field_types": stands twice, expected once"#
            ),
            (
                .semiStructured, #""marqo__field_types":{"m.a":1},"marqo__int_fields":{"m.a":1}"#,
                #"field "marqo__field_types": expected strings, found 1"#
            ),
            (
                .semiStructured, #""marqo__lexical__id":"x""#,
                #"field "_id": found in marqo__lexical__id, expected no user's field of that name, which is the id's"#
            ),
        ] as [(IndexKind, String, String)]
    )
    func field(_ kind: IndexKind, _ fields: String, _ reason: String) {
        let declared = kind == .structured ? Self.declared : [:]
        let became = MarqoTransform(kind, declared)(put("{\(fields),\"marqo__id\":\"own\"}"))
        #expect(became.reason == reason)
        #expect(became.recordID == "own")
        #expect(became.text.isEmpty)
    }

    @Test(
        "a name in two places is refused unless both say the same",
        arguments: [
            (
                .unstructured, #""marqo__int_fields":{"n":1},"marqo__float_fields":{"n":1}"#,
                #"field "n": expected in one place, found in marqo__int_fields and in marqo__float_fields"#
            ),
            (
                .unstructured, #""marqo__int_fields":{"n":1},"marqo__bool_fields":{"n":1}"#,
                #"field "n": expected in one place, found in marqo__int_fields and in marqo__bool_fields"#
            ),
            (
                .unstructured, #""marqo__short_string_fields":{"t":"x"},"marqo__string_array":["t::x"]"#,
                #"field "t": expected in one place, found in marqo__short_string_fields and in marqo__string_array"#
            ),
            (
                .unstructured, #""marqo__short_string_fields":{"t":"x"},"marqo__long_string_fields":{"t":"y"}"#,
                #"field "t": expected the same value wherever it stands, "#
                    + #"found "x" in marqo__short_string_fields and "y" in marqo__long_string_fields"#
            ),
            (
                .unstructured, #""marqo__int_fields":{"m.a":1},"marqo__float_fields":{"m.a":1}"#,
                #"field "m.a": expected in one place, found in marqo__int_fields and in marqo__float_fields"#
            ),
            (
                .unstructured, #""marqo__int_fields":{"m.a":1},"marqo__short_string_fields":{"m":"x"}"#,
                #"field "m": expected either a value or a map, found a value in marqo__short_string_fields "#
                    + #"and the entry "m.a" in marqo__int_fields"#
            ),
            (
                .semiStructured, #""marqo__lexical_n":"1","n":1"#,
                #"field "n": expected the same value wherever it stands, found "1" in marqo__lexical_n and 1 in n"#
            ),
            (
                .semiStructured, #""marqo__string_array_t":["x"],"marqo__string_array":["t::x","t::y"]"#,
                #"field "t": expected the same value wherever it stands, "#
                    + #"found ["x"] in marqo__string_array_t and ["x","y"] in marqo__string_array"#
            ),
            (
                .semiStructured, #""marqo__string_array":["t::x"],"marqo__string_array_t":["y"]"#,
                #"field "t": expected the same value wherever it stands, "#
                    + #"found ["x"] in marqo__string_array and ["y"] in marqo__string_array_t"#
            ),
            (
                .unstructured, #""marqo__string_array":["t::x"],"marqo__string_array":["t::x"]"#,
                #"field "marqo__string_array": stands twice, expected once"#
            ),
        ] as [(IndexKind, String, String)]
    )
    func places(_ kind: IndexKind, _ fields: String, _ reason: String) {
        #expect(MarqoTransform(kind)(put("{\(fields)}", id: "id:s:s::v")).reason == reason)
        #expect(MarqoTransform(kind)(put("{\(fields)}", id: "id:s:s::v")).recordID == "v")
    }

    @Test(
        "a document of another kind than the index record says is refused with what tells so",
        arguments: [
            (.structured, "marqo__int_fields"), (.structured, "marqo__strings"), (.structured, "marqo__string_array_t"),
            (.structured, "marqo__chunks"), (.unstructured, "marqo__lexical_title"), (.unstructured, "marqo__filter_t"),
            (.unstructured, "marqo__chunks_t"), (.unstructured, "marqo__score_modifiers_double_long"),
            (.semiStructured, "marqo__strings"), (.semiStructured, "marqo__long_string_fields"),
            (.semiStructured, "marqo__embeddings"), (.semiStructured, "marqo__filter_t"),
        ] as [(IndexKind, String)]
    )
    func contradiction(kind: IndexKind, field: String) {
        let became = MarqoTransform(kind)(put("{\"marqo__id\":\"a\",\"\(field)\":{}}"))
        let reason =
            "the index record says \(kind.rawValue), but the document has \(field); correct it with sluice index set"
        #expect(became == .refused(reason, at: 51, id: "a"))
    }

    @Test(
        "a document without its frame is refused by what is missing",
        arguments: [
            (
                #"{"put":"id:s:s::a"}"#, #"the document has no "fields", expected an object under that name"#, 18, "a"
            ),
            (#"{"put":"id:s:s::a","fields":[]}"#, #"field "fields": expected an object, found a list"#, 28, "a"),
            (#"{"fields":{},"put":"id:s:s::a","fields":{}}"#, #"field "fields": stands twice, expected once"#, 31, "a"),
            (
                #"{"fields":{}}"#,
                #"the document has neither "marqo__id" nor an id of Vespa's, expected one of them"#, 0, nil
            ),
            (
                #"{"put":"id:s:s","fields":{}}"#,
                #"the document has no "marqo__id", and no user's id in Vespa's: found "id:s:s", expected id:<namespace>:<type>::<id>"#,
                7, "id:s:s"
            ),
            (
                #"{"put":"id:s:s::","fields":{}}"#,
                #"the document has no "marqo__id", and no user's id in Vespa's: found "id:s:s::", expected id:<namespace>:<type>::<id>"#,
                7, ""
            ),
            (
                #"{"put":"id:s:s::a","fields":{"marqo__id":""}}"#,
                #"field "marqo__id": expected a non-empty string, found """#, 41, "a"
            ),
            (
                #"{"put":"id:s:s::a","fields":{"marqo__id":7}}"#,
                #"field "marqo__id": expected a non-empty string, found 7"#, 41, "a"
            ),
            (
                #"{"fields":{"marqo__id":"a","marqo__id":"a"}}"#,
                #"field "marqo__id": stands twice, expected once"#, 27, "a"
            ),
            ("[]", "a record must be a JSON object", 0, nil), ("", "the text ends before its value does", 0, nil),
            (#"{"put":"id:s:s::a","fields":{}} x"#, "something follows the value", 32, "a"),
            (#"{"put":"id:s:s::a","fields":{"x":01}}"#, "this is not a JSON number", 34, "a"),
            (#"{"fields":{"marqo__future":[1,],"marqo__id":"a"}}"#, "this byte cannot stand here", 30, nil),
        ] as [(String, String, Int, String?)]
    )
    func frame(document: String, reason: String, offset: Int, id: String?) {
        #expect(MarqoTransform(.semiStructured)(document) == .refused(reason, at: offset, id: id))
    }

    @Test("a long value is cut short in the reason")
    func longValue() throws {
        let value = String(repeating: "é", count: 5000)
        let became = MarqoTransform(.semiStructured)(
            put("{\"marqo__id\":\"a\",\"marqo__int_fields\":{\"n\":\"\(value)\"}}")
        )
        #expect(try #require(became.reason).utf8.count < 200)
    }
}
