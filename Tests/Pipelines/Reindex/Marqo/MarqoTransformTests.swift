// What becomes of Vespa's documents, byte by byte.

import ReindexPipeline
import SluiceCore
import Testing

@Suite("Marqo documents")
struct MarqoTransformTests {
    private let legacy = MarqoTransform(.unstructured)
    private let semi = MarqoTransform(.semiStructured)

    @Test("a legacy document becomes what its client sent")
    func legacyExample() {
        let document = """
            {"id": "id:shop:shop::sku::7",
             "fields": {
              "marqo__id": "sku::7",
              "marqo__strings": ["Red kettle", "A kettle that whistles, boils, and never forgets where it left the lid."],
              "marqo__short_string_fields": {"title": "Red kettle"},
              "marqo__long_string_fields": {"body": "A kettle that whistles, boils, and never forgets where it left the lid."},
              "marqo__string_array": ["tags::home", "tags::a::b", "rooms::kitchen"],
              "marqo__int_fields": {"stock": 9007199254740993, "size.height": 20},
              "marqo__float_fields": {"price": 3.0, "size.width": 11.5},
              "marqo__bool_fields": {"sale": 0},
              "marqo__score_modifiers": {"type": "tensor(p{})", "cells": {"stock": 9007199254740992.0, "price": 3.0}},
              "marqo__chunks": ["title::Red kettle"],
              "marqo__embeddings": {"type": "tensor<float>(p{},x[2])", "blocks": {"0": [0.6, 0.8]}},
              "marqo__vector_count": 1}}
            """
        let expected =
            #"{"_id":"sku::7","title":"Red kettle","#
            + #""body":"A kettle that whistles, boils, and never forgets where it left the lid.","#
            + #""tags":["home","a::b"],"rooms":["kitchen"],"stock":9007199254740993,"price":3.0,"sale":false,"#
            + #""size":{"height":20,"width":11.5}}"#
        #expect(legacy(document) == .written(expected, id: "sku::7"))
    }

    @Test("a semi-structured document becomes what its client sent")
    func semiExample() {
        let fields = #"""
            {"marqo__id": "9", "marqo__lexical_title": "Lamp", "marqo__short_string_fields": {"title": "Lamp"},
             "marqo__string_array_tags": ["desk"], "marqo__int_fields": {"m.x.y": 1}, "marqo__bool_fields": {"new": 1},
             "marqo__multimodal_params": {"combo": "{\"weights\": {\"title\": 1.0}, \"type\": \"multimodal_combination\"}"},
             "marqo__chunks_combo": ["{\"title\": \"Lamp\"}"],
             "marqo__field_types": {"title": "tensor", "tags": "string_array", "m": "int_map_entry", "m.x.y": "int_map_entry", "new": "bool"},
             "marqo__version_uuid": "00112233445566778899aabbccddeeff", "marqo__vector_count": 1, "group_id": "g1"}
            """#
        let expected = #"{"_id":"9","title":"Lamp","tags":["desk"],"new":true,"group_id":"g1","m":{"x.y":1}}"#
        #expect(semi(put(fields)) == .written(expected, id: "9"))
    }

    private static let declared: [String: FieldType] = [
        "title": .text, "on": .bool, "n": .int, "w": .floatMap, "v": .customVector, "mix": .multimodalCombination,
        "tags": .textArray, "a_longer_name": .double,
    ]

    @Test(
        "a structured document becomes what its client sent",
        arguments: [
            (
                #"{"marqo__id": "a", "marqo__lexical_title": "T", "marqo__filter_title": "T", "marqo__filter_on": 1, "n": 1, "#
                    + #""w": {"k": 0.5}, "marqo__score_modifiers_float": {"cells": {"w.k": 0.5}}, "marqo__vector_count": 0}"#,
                #"{"_id":"a","title":"T","on":true,"n":1,"w":{"k": 0.5}}"#
            ),
            // A map in the form of search results; an entry without value is passed over.
            (
                #"{"marqo__id":"a","w":[{"key":"x","value":1.0},{"key":"y"},{"value":2,"key":"z","more":[]}]}"#,
                #"{"_id":"a","w":{"x":1.0,"z":2}}"#
            ),
            // Both copies of a text say the same, in other letters; lists stay in order; other system fields leave.
            (
                #"{"marqo__id":"a","marqo__filter_title":"\u0054\/","marqo__lexical_title":"T/","marqo__filter_tags":["b","a"],"#
                    + #""marqo__future":{"a":[1]},"marqo__chunks_title":["T"],"marqo__score_modifiers":{},"sddocname":"shop"}"#,
                #"{"_id":"a","title":"\u0054\/","tags":["b","a"]}"#
            ),
            // A custom vector is its content; a combination's weights belong to the request.
            (
                #"{"v":"content","mix":{"title":0.3},"on":0,"marqo__id":"a","a_longer_name":3.0}"#,
                #"{"_id":"a","v":"content","on":false,"a_longer_name":3.0}"#
            ),
        ]
    )
    func structured(fields: String, expected: String) {
        #expect(MarqoTransform(.structured, Self.declared)(put(fields)) == .written(expected, id: "a"))
    }

    @Test("a declared field is taken in though a search would add one of its name")
    func declaredSearchName() {
        let transform = MarqoTransform(.structured, ["documentid": .text])
        let expected = Transformed.written(#"{"_id":"a","documentid":"x"}"#, id: "a")
        #expect(transform(put(#"{"marqo__id":"a","documentid":"x","sddocname":"y"}"#)) == expected)
    }

    @Test(
        "each oddity of the mapping is read as it is meant",
        arguments: [
            ("id with `::`", .semiStructured, #"{"marqo__id":"a::b:c"}"#, #"{"_id":"a::b:c"}"#, "a::b:c"),
            (
                "field named `_x`", .semiStructured, #"{"marqo__id":"a","marqo__lexical__x":"1"}"#,
                #"{"_id":"a","_x":"1"}"#, "a"
            ),
            (
                "array value with `::`", .unstructured,
                #"{"marqo__id":"a","marqo__string_array":["t::x","u::y","t::a::b","t::","t::::c","t::x"]}"#,
                #"{"_id":"a","t":["x","a::b","","::c","x"],"u":["y"]}"#, "a"
            ),
            (
                "map key with `.`", .unstructured,
                #"{"marqo__id":"a","marqo__int_fields":{"m.a.b":1,"m..c":2,"m.":3}}"#,
                #"{"_id":"a","m":{"a.b":1,".c":2,"":3}}"#, "a"
            ),
            (
                "map spread over int and float", .semiStructured,
                #"{"marqo__id":"a","marqo__float_fields":{"m.b":2.50},"n":"x","marqo__int_fields":{"m.a":1,"k.a":2}}"#,
                #"{"_id":"a","n":"x","m":{"b":2.50,"a":1},"k":{"a":2}}"#, "a"
            ),
            (
                "map as a key/value list with a missing `value`", .semiStructured,
                #"{"marqo__id":"a","marqo__int_fields":[{"key":"m.a","value":1},{"key":"gone"},{"value":2,"key":"n"}]}"#,
                #"{"_id":"a","n":2,"m":{"a":1}}"#, "a"
            ),
            (
                "bool 0/1/2", .unstructured,
                #"{"marqo__id":"a","marqo__bool_fields":{"x":0,"y":1,"z":2,"u":-1,"v":0.0,"w":0e5,"t":true,"f":false}}"#,
                #"{"_id":"a","x":false,"y":true,"z":true,"u":true,"v":false,"w":false,"t":true,"f":false}"#, "a"
            ),
            (
                "int above 2^53", .semiStructured,
                #"{"marqo__id":"a","marqo__int_fields":{"n":9007199254740993,"m":-9223372036854775808}}"#,
                #"{"_id":"a","n":9007199254740993,"m":-9223372036854775808}"#, "a"
            ),
            (
                "float `3.0` stays float", .semiStructured,
                #"{"marqo__id":"a","marqo__float_fields":{"p":3.0,"q":1E-7,"r":3}}"#,
                #"{"_id":"a","p":3.0,"q":1E-7,"r":3}"#, "a"
            ),
            (
                "unknown `marqo__future` field", .semiStructured,
                #"{"marqo__future":{"deep":[{}]},"marqo__id":"a","marqo__":1,"marqo__lexical_":"x","marqo__chunks_":[]}"#,
                #"{"_id":"a"}"#, "a"
            ),
            (
                "a user field named `string_array_x`", .semiStructured,
                #"{"marqo__id":"a","marqo__lexical_string_array_x":"v","marqo__string_array_string_array_y":["w"]}"#,
                #"{"_id":"a","string_array_x":"v","string_array_y":["w"]}"#, "a"
            ),
            ("only-id document", .unstructured, #"{"marqo__id":"a"}"#, #"{"_id":"a"}"#, "a"),
            (
                "both string-array forms in one document", .semiStructured,
                #"{"marqo__id":"a","marqo__string_array":["t::x"],"marqo__string_array_u":["y", "z"]}"#,
                #"{"_id":"a","t":["x"],"u":["y", "z"]}"#, "a"
            ),
            (
                "one list in both forms, the newer first", .semiStructured,
                #"{"marqo__id":"a","marqo__string_array_t":["x","\u0079"],"marqo__string_array":["t::x","u::1","t::y"]}"#,
                #"{"_id":"a","t":["x","\u0079"],"u":["1"]}"#, "a"
            ),
            (
                "one list in both forms, the older first", .semiStructured,
                #"{"marqo__id":"a","marqo__string_array":["t::x"],"marqo__string_array_t":["x"]}"#,
                #"{"_id":"a","t":["x"]}"#, "a"
            ),
            (
                "blocks labelled `\"10\"` before `\"2\"`", .semiStructured,
                #"{"marqo__id":"a","marqo__embeddings_t":{"blocks":{"10":[0.1,-2.5E-4],"2":[1, 2]}},"marqo__chunks_t":["c"]}"#,
                #"{"_id":"a"}"#, "a"
            ),
            (
                "names that the document's own types do not call a map's entries stay as they are", .semiStructured,
                #"{"marqo__id":"a","marqo__int_fields":{"m.a":1,"p.q":2},"marqo__field_types":{"m.a":"int_map_entry","p.q":"int"}}"#,
                #"{"_id":"a","p.q":2,"m":{"a":1}}"#, "a"
            ),
            (
                "types as a list, before what they speak of", .semiStructured,
                #"{"marqo__field_types":[{"key":"m.a","value":"float_map_entry"},{"key":"x"}],"marqo__float_fields":{"m.a":1.5},"marqo__id":"a"}"#,
                #"{"_id":"a","m":{"a":1.5}}"#, "a"
            ),
            (
                "escapes in keys, in prefixes and around separators", .unstructured,
                #"{"marqo\u005f_id":"\u0061","marqo__int_fields":{"m\u002ea":1,"\u006d.b":2},"marqo__string_array":["t\u003a:x","\u0074::\n"]}"#,
                #"{"_id":"\u0061","t":["x","\n"],"m":{"a":1,"b":2}}"#, "a"
            ),
            (
                "what only a search holds", .semiStructured,
                #"{"sddocname":"s","matchfeatures":{"a":1},"documentid":"d","marqo__id":"a","documents":1,"sddocnames":2}"#,
                #"{"_id":"a","documents":1,"sddocnames":2}"#, "a"
            ),
            (
                "a plain field of the same text as its copy", .semiStructured,
                #"{"marqo__id":"a","t":"x","marqo__lexical_t":"x"}"#, #"{"_id":"a","t":"x"}"#, "a"
            ),
            ("an id with escapes", .semiStructured, #"{"marqo__id":"a\"\u00e9"}"#, #"{"_id":"a\"\u00e9"}"#, "a\"é"),
        ] as [(String, IndexKind, String, String, String)]
    )
    func oddity(_ name: String, _ kind: IndexKind, _ fields: String, _ expected: String, _ id: String) {
        #expect(MarqoTransform(kind)(put(fields)) == .written(expected, id: id))
    }

    @Test(
        "members of the raw object stand in any order, and without marqo__id Vespa's own id tells",
        arguments: [
            (#"{"fields":{"x":"1"},"put":"id:s:s::a::b"}"#, "a::b"),
            (#" { "pathId" : [ ] , "id" : "id:s:s:g=1:x::y" , "fields" : { "x" : "1" } } "#, "y"),
            (#"{"f\u0069elds":{"x":"1"},"p\u0075t":"id:s:s\u003a:\u0061\/"}"#, "a/"),
            (#"{"fields":{"x":"1","marqo__id":"own"},"put":"id:s:s::other","condition":{"a":null}}"#, "own"),
        ]
    )
    func envelope(document: String, id: String) {
        let became = semi(document)
        #expect(became.outcome == .written)
        #expect(became.id == id)
        #expect(became.text.hasSuffix(#","x":"1"}"#) || became.text.hasSuffix(#","x":"1" }"#))
    }

    @Test("what spans lines is written on one, and nothing within strings is touched")
    func oneLine() {
        let fields =
            "{\"marqo__id\":\n\"a\",\"x\":[1,\r\n  {\"k\" :\n\t\"a  b\\n\"}],\n\"marqo__string_array_t\":\n[\"y\",\n \"z\"]}"
        #expect(semi(put(fields)) == .written(#"{"_id":"a","x":[1,{"k" :"a  b\n"}],"t":["y","z"]}"#, id: "a"))
    }

    @Test("a document of thousands of fields is read like any other")
    func manyFields() {
        let names = (0..<3000).map { "field_number_\($0)" }
        let ints = names.map { "\"\($0)\":1" }.joined(separator: ",")
        let entries = names.map { "\"m.\($0)\":2" }.joined(separator: ",")
        let strings = names.map { "\"t::\($0)\"" }.joined(separator: ",")
        let became = legacy(
            put("{\"marqo__int_fields\":{\(ints),\(entries)},\"marqo__string_array\":[\(strings)],\"marqo__id\":\"a\"}")
        )
        let map = names.map { "\"\($0)\":2" }.joined(separator: ",")
        let list = names.map { "\"\($0)\"" }.joined(separator: ",")
        #expect(became == .written("{\"_id\":\"a\",\(ints),\"t\":[\(list)],\"m\":{\(map)}}", id: "a"))
    }
}
