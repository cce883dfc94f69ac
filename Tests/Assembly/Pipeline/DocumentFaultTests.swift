// Documents that are odd or wrong, on their way through the whole pipeline: sent exactly, or dead with the reason.
import ReindexPipeline
import SluiceAssembly
import SluiceCore
import SluiceEngine
import SluiceStandIns
import Testing

@Suite("Documents that are odd or wrong", .timeLimit(.minutes(10)))
struct DocumentFaultTests {
    struct Oddity: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var kind = IndexKind.semiStructured
        var declared: [String: FieldType] = [:]
        let products: [Product]

        init(
            _ name: String,
            _ kind: IndexKind = .semiStructured,
            _ declared: [String: FieldType] = [:],
            _ products: Product...
        ) {
            testDescription = name
            self.kind = kind
            self.declared = declared
            self.products = products
        }
    }

    private static let longMap = #""marqo__field_types":{"m.a.b":"int_map_entry","m.c":"float_map_entry"}"#
    private static let vector = (0..<40_000).map { "0.\(100_000 + $0)" }.joined(separator: ",")

    static let oddities = [
        Oddity(
            "no marqo__id: Vespa's own id tells",
            .semiStructured,
            [:],
            Product("a::b", fields: #"{"marqo__lexical_t":"x"}"#, sent: #"{"_id":"a::b","t":"x"}"#)
        ),
        Oddity(
            "ids with : and ::",
            .semiStructured,
            [:],
            Product(":", fields: #"{"marqo__id":":"}"#, sent: #"{"_id":":"}"#),
            Product("::", fields: #"{"marqo__id":"::"}"#, sent: #"{"_id":"::"}"#),
            Product("a:b", fields: #"{"marqo__id":"a:b"}"#, sent: #"{"_id":"a:b"}"#),
            Product("id:x:y::z", fields: #"{"marqo__id":"id:x:y::z"}"#, sent: #"{"_id":"id:x:y::z"}"#),
            Product("own", fields: #"{"marqo__id":"own"}"#, sent: #"{"_id":"own"}"#, vespaID: "another::one")
        ),
        Oddity(
            "keys of maps with points",
            .unstructured,
            [:],
            Product(
                "a",
                fields: #"{"marqo__id":"a","marqo__int_fields":{"m.a.b":1,"m..c":2,"m.":3}}"#,
                sent: #"{"_id":"a","m":{"a.b":1,".c":2,"":3}}"#
            )
        ),
        Oddity(
            "keys of maps with points, told by the document's types",
            .semiStructured,
            [:],
            Product(
                "a",
                fields: #"{"marqo__id":"a","marqo__int_fields":{"m.a.b":1,"p.q":2},"#
                    + #""marqo__float_fields":{"m.c":1.5},\#(longMap)}"#,
                sent: #"{"_id":"a","p.q":2,"m":{"a.b":1,"c":1.5}}"#
            )
        ),
        Oddity(
            "keys of declared maps with points",
            .structured,
            ["m": .doubleMap],
            Product(
                "a",
                fields: #"{"marqo__id":"a","m":{"a.b":1.0,".":2}}"#,
                sent: #"{"_id":"a","m":{"a.b":1.0,".":2}}"#
            )
        ),
        Oddity(
            "ints, floats and bools at their edges",
            .unstructured,
            [:],
            Product(
                "i",
                fields:
                    #"{"marqo__id":"i","marqo__int_fields":{"a":9223372036854775807,"b":-9223372036854775808,"c":9007199254740993,"d":-0}}"#,
                sent: #"{"_id":"i","a":9223372036854775807,"b":-9223372036854775808,"c":9007199254740993,"d":-0}"#
            ),
            Product(
                "f",
                fields:
                    #"{"marqo__id":"f","marqo__float_fields":{"a":3.0,"b":1E-7,"c":1.7976931348623157e308,"d":5e-324,"e":-0.0,"f":3}}"#,
                sent: #"{"_id":"f","a":3.0,"b":1E-7,"c":1.7976931348623157e308,"d":5e-324,"e":-0.0,"f":3}"#
            ),
            Product(
                "b",
                fields: #"{"marqo__id":"b","marqo__bool_fields":{"a":0,"b":1,"c":2,"d":-1,"e":0.0,"f":false}}"#,
                sent: #"{"_id":"b","a":false,"b":true,"c":true,"d":true,"e":false,"f":false}"#
            )
        ),
        Oddity(
            "copies for words and for filters that agree",
            .structured,
            ["t": .text],
            Product(
                "a",
                fields: #"{"marqo__id":"a","marqo__lexical_t":"T/é","marqo__filter_t":"\u0054\/é"}"#,
                sent: #"{"_id":"a","t":"T/é"}"#
            )
        ),
        Oddity(
            "embeddings of half a megabyte",
            .semiStructured,
            [:],
            Product(
                "a",
                fields:
                    #"{"marqo__id":"a","marqo__chunks_t":["x"],"marqo__embeddings_t":{"type":"tensor<float>(p{},x[40000])","#
                    + #""blocks":{"0":[\#(vector)]}},"marqo__lexical_t":"x"}"#,
                sent: #"{"_id":"a","t":"x"}"#
            ),
            Product(plain: 1)
        ),
        Oddity(
            "tensors in all four formats",
            .semiStructured,
            [:],
            tensor("short", #"{"type":"tensor<float>(p{},x[2])","blocks":{"10":[0.5,-1e-3],"2":[1,2]}}"#),
            tensor("short-value", #"{"0":[0.5,1]}"#),
            tensor(
                "long",
                #"{"type":"tensor<float>(p{},x[2])","blocks":[{"address":{"p":"0"},"values":[0.5,1]}]}"#
            ),
            tensor("long-value", #"[{"address":{"p":"0","x":"0"},"value":0.5}]"#),
            tensor("hexadecimal", #"{"0":"3F0000003F800000"}"#)
        ),
    ]

    private static func tensor(_ id: String, _ value: String) -> Product {
        Product(
            id,
            fields:
                #"{"marqo__id":"\#(id)","marqo__embeddings_t":\#(value),"marqo__score_modifiers":\#(value),"marqo__lexical_t":"x"}"#,
            sent: #"{"_id":"\#(id)","t":"x"}"#
        )
    }

    @Test("arrive as their client sent them, each counted once", arguments: oddities)
    func odd(oddity: Oddity) async throws {
        try await PipelineWorld.run(oddity.products) {
            $0.kind = oddity.kind
            $0.declared = oddity.declared
        } _: { world in
            let id = try await world.start()
            try await world.work()
            try await world.expectArrived(id)
            let report = try await world.verify(id)
            #expect(report.matching == oddity.products.count && report.isClean, "\(report)")
        }
    }

    /// A kind of document that can't be had, and why.
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let kind: IndexKind
        var declared: [String: FieldType] = ["t": .text, "sale": .bool]
        let fields: String
        let reason: String
    }

    static let wrongs = [
        Wrong(
            testDescription: "of another kind than the record says: unstructured, not semi-structured",
            kind: .semiStructured,
            fields: #""marqo__long_string_fields":{"t":"x"}"#,
            reason: "the index record says semi-structured, but the document has marqo__long_string_fields"
        ),
        Wrong(
            testDescription: "of another kind than the record says: semi-structured, not unstructured",
            kind: .unstructured,
            fields: #""marqo__lexical_t":"x""#,
            reason: "the index record says unstructured, but the document has marqo__lexical_t"
        ),
        Wrong(
            testDescription: "of another kind than the record says: semi-structured, not structured",
            kind: .structured,
            fields: #""marqo__int_fields":{"n":1}"#,
            reason: "the index record says structured, but the document has marqo__int_fields"
        ),
        Wrong(
            testDescription: "copies for words and for filters that differ",
            kind: .structured,
            fields: #""marqo__lexical_t":"T","marqo__filter_t":"U""#,
            reason: "expected the same value wherever it stands"
        ),
        Wrong(
            testDescription: "a bool that is 2",
            kind: .structured,
            fields: #""sale":2"#,
            reason: "expected 0 or 1 for a bool, found 2"
        ),
        Wrong(
            testDescription: "a field that nobody declared",
            kind: .structured,
            fields: #""colour":"red""#,
            reason: "expected only fields that the index record declares"
        ),
        Wrong(
            testDescription: "an int that is a text",
            kind: .semiStructured,
            fields: #""marqo__int_fields":{"n":"1"}"#,
            reason: "expected a number"
        ),
    ]

    /// Some good documents with the wrong one in their middle.
    private func products(_ wrong: Wrong) -> [Product] {
        let good = (0..<10).map { Product("g\($0)", fields: #"{"marqo__id":"g\#($0)"}"#, sent: #"{"_id":"g\#($0)"}"#) }
        let bad = Product("bad", fields: #"{"marqo__id":"bad",\#(wrong.fields)}"#, sent: nil)
        return good[..<5] + [bad] + good[5...]
    }

    @Test("are dead letters with the reason, and the others arrive", arguments: wrongs)
    func dead(wrong: Wrong) async throws {
        try await PipelineWorld.run(products(wrong)) {
            $0.kind = wrong.kind
            if wrong.kind == .structured { $0.declared = wrong.declared }
        } _: { world in
            let id = try await world.start { $0.onBadRecord = .deadLetter }
            try await world.work()
            try await world.expect(id, .completedWithFailures, Sheet(refused: 1, completed: 10), reason: "1 record is")
            try await world.expectDead(id, ["bad": wrong.reason])
            world.expectHeld(world.products.filter { $0.sent != nil })
            let report = try await world.verify(id)
            #expect(report.isClean && report.matching == 10 && report.expectedMissingDead == 1, "\(report)")
        }
    }

    @Test("stop the job at the record if it is told so; told otherwise, it goes on", arguments: wrongs)
    func stops(wrong: Wrong) async throws {
        try await PipelineWorld.run(products(wrong)) {
            $0.kind = wrong.kind
            if wrong.kind == .structured { $0.declared = wrong.declared }
        } _: { world in
            let id = try await world.start {
                $0.concurrency = 1
                $0.pageSize = 1000
            }
            try await world.work()
            try await world.expect(id, .paused, Sheet(), reason: wrong.reason)
            #expect(try await world.deployment.jobs.get(id).statusReason?.contains("\"bad\"") == true)
            #expect(world.ecommerce.stats.answers.isEmpty)
            var settings = JobControl.Settings()
            settings.onBadRecord = .deadLetter
            try await world.deployment.control.set(id, settings)
            try await world.resume(id)
            try await world.expect(id, .completedWithFailures, Sheet(refused: 1, completed: 10))
            try await world.expectDead(id, ["bad": wrong.reason])
        }
    }

    @Test("an index whose record says another kind is mended by a new record and a new job")
    func wrongKind() async throws {
        try await PipelineWorld.run {
            $0.kind = .unstructured
        } _: { world in
            let wrong = try await world.start { $0.onBadRecord = .deadLetter }
            try await world.work()
            try await world.expect(wrong, .completedWithFailures, Sheet(refused: world.products.count))
            #expect(world.ecommerce.stats.answers.isEmpty)
            // What never was fit to be sent is not sent by a redrive either.
            #expect(try await world.deployment.deadLetters.redrive(wrong) == 0)
            try await world.putIndex { _ in }
            let right = try await world.start()
            try await world.work()
            try await world.expectArrived(right)
        }
    }

    @Test("a document over the limit of its size is dead with its id, and the others arrive")
    func tooLarge() async throws {
        let large = Product(
            "large",
            fields: #"{"marqo__id":"large","marqo__lexical_t":"\#(String(repeating: "x", count: 100_000))"}"#,
            sent: nil
        )
        try await PipelineWorld.run(Product.plain(10) + [large]) {
            $0.engine.recordBytesMax = 50_000
        } _: { world in
            let id = try await world.start { $0.onBadRecord = .deadLetter }
            try await world.work()
            try await world.expect(id, .completedWithFailures, Sheet(refused: 1, completed: 10))
            let dead = try await world.deadLetters(id)
            #expect(
                dead.values.allSatisfy { $0.contains("more than the limit of 50000") } && dead.count == 1,
                "\(dead)"
            )
            world.expectHeld(Array(world.products.dropLast()))
        }
    }

    @Test("two documents of one id in one batch are two records, and the later one is held")
    func duplicates() async throws {
        var products = Product.plain(8)
        products[2].vespaID = "other key"
        products[5] = Product(
            "d2",
            fields: products[5].fields.replacing("d5", with: "d2"),
            sent: #"{"_id":"d2","title":"T5","n":5}"#
        )
        try await PipelineWorld.run(products) { world in
            let id = try await world.start { $0.concurrency = 1 }
            try await world.work()
            try await world.expect(id, .completed, Sheet(completed: 8))
            var held = products
            held.remove(at: 2)
            world.expectHeld(held)
            #expect(world.ecommerce.stats.documentsAccepted == 8)
        }
    }
}
