// Digests of records: the same everywhere, and different for what differs.
import SluiceCore
import SluiceTestKit
import Testing

@Suite("Digests of records")
struct RecordDigestTests {
    private func digest(_ bytes: [UInt8]) -> RecordDigest { bytes.withUnsafeBytes { RecordDigest($0) } }

    @Test("are stored, so they stay what they are")
    func stable() {
        #expect(RecordDigest("").value == 5_544_578_064_115_974_017)
        #expect(RecordDigest("a").value == 17_145_350_577_497_231_422)
        #expect(RecordDigest(#"{"_id":"sku::7","title":"Red kettle"}"#).value == 5_771_067_939_309_078_792)
    }

    @Test("of a text and of its bytes are one")
    func text() {
        #expect(RecordDigest("grün") == digest(Array("grün".utf8)))
    }

    @Test("differ for every bit, byte order and length")
    func distinct() {
        let random = SeededRandomSource(seed: 5)
        var seen: Set<RecordDigest> = []
        var count = 0
        for length in 0...70 {
            let bytes = (0..<length).map { _ in UInt8(truncatingIfNeeded: Int(random.fraction() * 256)) }
            seen.insert(digest(bytes))
            count += 1
            for bit in 0..<length * 8 {
                var changed = bytes
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                seen.insert(digest(changed))
                count += 1
            }
        }
        #expect(seen.count == count)
        // Zeros of every length, which a careless mix maps to one value.
        #expect(Set((0...300).map { digest(Array(repeating: 0, count: $0)) }).count == 301)
        #expect(digest(Array("ab".utf8)) != digest(Array("ba".utf8)))
    }

    @Test("change half of their bits, more or less, when one bit changes")
    func avalanche() {
        let bytes = Array(#"{"_id":"12345","price":12.50,"title":"A kettle that whistles"}"#.utf8)
        let original = digest(bytes).value
        var total = 0
        for bit in 0..<bytes.count * 8 {
            var changed = bytes
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            let flipped = (digest(changed).value ^ original).nonzeroBitCount
            #expect((12...52).contains(flipped), "bit \(bit): \(flipped)")
            total += flipped
        }
        #expect((30.0...34.0).contains(Double(total) / Double(bytes.count * 8)))
    }

    @Test("of a page come back as they were stored, an id's whatever its spelling")
    func items() throws {
        let scanner = RecordScanner(RecordSelection())
        var batch = RecordBatch()
        for text in [#"{"_id":"gr\u00fcn"}"#, #"{"_id":"grün"}"#, #"{"_id":7,"a":1}"#] {
            try scanner.scan(Array(text.utf8).span.bytes, into: &batch)
        }
        let job = try JobID("2026-01-02-03-04-05-0123abcd")
        let item = DigestItem(job: job, slice: 1, page: 2, entries: batch.digests)
        let again = try DigestItem(attributes: try item.attributes())
        #expect(again == item)
        #expect(again.entries == batch.digests)
        #expect(again.entries.map(\.id) == [RecordDigest("grün"), RecordDigest("grün"), RecordDigest("7")])
        #expect(again.entries[0].record != again.entries[1].record)
    }
}
