// Documents that went through Marqo's storage and back, whole and wounded.

import ReindexPipeline
import SluiceCore
import SluiceStandIns
import Testing

@Suite("Marqo documents there and back", .timeLimit(.minutes(10)))
struct MarqoPropertyTests {
    private static let cases = StoredForm.allCases.flatMap { form in [false, true].map { (form, $0) } }

    @Test("what was stored in any form comes back as it was", arguments: cases)
    func roundTrip(form: StoredForm, mapsAreLists: Bool) throws {
        var chance = MarqoChance(state: 11)
        for _ in 0..<400 {
            let document = chance.document()
            var encoder = StoredEncoder(form, mapsAreLists: mapsAreLists)
            let raw = chance.raw(encoder.encode(document), id: document.id)
            let declared = form == .structured ? document.declared : [:]
            let became = MarqoTransform(form.kind, declared)(raw)
            let shown = String(decoding: raw, as: UTF8.self)
            try #require(became.outcome == .written, "\(shown): \(became)")
            let written = try JSONValue.parse(became.text)
            #expect(written == document.json, "\(shown) became \(became.text)")
            #expect(became.id == document.id)
        }
    }

    @Test(
        "a wounded document is refused or still says something valid, and all that is no JSON is refused",
        arguments: cases
    )
    func wounds(form: StoredForm, mapsAreLists: Bool) throws {
        var chance = MarqoChance(state: 12)
        let judge = SelectionTransform(type: .post, fields: [], skipIfPresent: [], idField: "probe")
        var written = 0
        for _ in 0..<400 {
            let document = chance.document()
            var encoder = StoredEncoder(form, mapsAreLists: mapsAreLists)
            let raw = chance.mutated(chance.raw(encoder.encode(document), id: document.id))
            let declared = form == .structured ? document.declared : [:]
            let became = MarqoTransform(form.kind, declared, skip: chance.pick([[], ["a"]]))(raw)
            let shown = String(decoding: raw, as: UTF8.self)
            guard became.reason == nil else { continue }
            try #require(Self.isJSON(raw, judge), "accepted: \(shown)")
            guard became.outcome == .written else { continue }
            written += 1
            let value = try JSONValue.parse(became.text)
            #expect(value["_id"]?.stringValue == became.id)
        }
        #expect(written > 10, "wounds must leave enough to look at")
    }

    /// Whether the selection of whole records finds no fault but the id's, which it is told to look for where none is.
    private static func isJSON(_ text: [UInt8], _ judge: SelectionTransform) -> Bool {
        var batch = RecordBatch()
        let outcome = text.withUnsafeBytes { judge.transform($0, range: 0..<text.count, into: &batch) }
        return outcome
            == .refused(reason: RecordError(.missingID, at: 0, field: "probe").message, offset: offset(outcome))
    }

    private static func offset(_ outcome: TransformOutcome) -> Int {
        if case .refused(_, let offset, _) = outcome { offset } else { 0 }
    }

    @Test("a document that is cut off anywhere is refused")
    func truncation() {
        var chance = MarqoChance(state: 13)
        for form in StoredForm.allCases {
            let document = chance.document()
            var encoder = StoredEncoder(form, mapsAreLists: false)
            let raw = chance.raw(encoder.encode(document), id: document.id)
            let transform = MarqoTransform(form.kind, form == .structured ? document.declared : [:])
            for count in 0..<raw.count {
                #expect(transform(Array(raw[..<count])).reason == "the text ends before its value does")
            }
        }
    }

    @Test("every product of the corpus comes back as it was", arguments: IndexKind.allCases, [0, 16])
    func corpus(kind: IndexKind, floats: Int) throws {
        let corpus = ProductCorpus(kind: kind, seed: 5, count: 3000, floats: floats)
        let transform = MarqoTransform(kind, corpus.declared)
        var batch = RecordBatch()
        var raw: [UInt8] = []
        var expected: [UInt8] = []
        for index in 0..<corpus.count {
            raw.removeAll(keepingCapacity: true)
            expected.removeAll(keepingCapacity: true)
            batch.removeAll()
            raw += Array("{\"put\":\"\(corpus.documentID(index))\",\"fields\":".utf8)
            corpus.write(index, into: &raw)
            raw.append(UInt8(ascii: "}"))
            corpus.writeExpected(index, into: &expected)
            let count = raw.count
            raw += [UInt8](repeating: 0, count: SourcePage.padding)
            let outcome = raw.withUnsafeBytes { transform.transform($0, range: 0..<count, into: &batch) }
            try #require(outcome == .written, "\(index): \(outcome)")
            let written = try JSONValue.parse(batch.record(at: 0))
            try #require(try written == JSONValue.parse(expected), "\(index): \(written)")
            #expect(corpus.documentID(index) == "id:products:products::\(batch.id(at: 0))")
        }
    }
}
