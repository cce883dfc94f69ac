// Stored items whose values are of their kind, and can't be true.
import SluiceCore
import Testing

@Suite("Spoilt items")
struct SpoiltItemsTests {
    private let job = "2026-01-02-03-04-05-0123abcd"

    private func expect<Item: TableItem>(_ item: Item, _ name: String, _ value: AttributeValue) throws {
        var attributes = try item.attributes()
        _ = try Item(attributes: attributes)
        attributes[name] = value
        let error = #expect(throws: PortError.self) { _ = try Item(attributes: attributes) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains("can't be read: ") == true && error?.message.contains(name) == true)
    }

    @Test(
        "a job's numbers out of range are told by name",
        arguments: [
            ("concurrency", AttributeValue.int(-1)), ("concurrency", .int(257)), ("page_size", .int(0)),
            ("rate", .int(0)), ("rate", .double(-1)), ("rate", .double(1e-18)), ("delivery_concurrency", .int(0)),
        ]
    )
    func job(name: String, value: AttributeValue) throws {
        let job = Job(
            key: JobKey(systemAccountID: "a", indexName: "i", id: try JobID(job)),
            reindexType: .post,
            concurrency: 1,
            source: "s:",
            sink: "s:",
            sourceDescription: SourceDescription(fingerprint: ""),
            now: Timestamp(milliseconds: 1_790_000_000_000)
        )
        try expect(job, name, value)
    }

    @Test("a page whose chunks lie nowhere, letters that are none, and a position below zero are told by name")
    func ledger() throws {
        let id = try JobID(job)
        let chunk = ChunkID(job: id, slice: 0, page: 0, epoch: 1, number: 0)
        let page = PageItem(job: id, slice: 0, page: 0, epoch: 1, sizes: [2, 1], offsets: [0, 10, 15])
        for spoilt: [Int64] in [[], [0, 10], [0, 10, 9], [-1, 10, 15]] {
            try expect(page, "offsets", .list(spoilt.map(AttributeValue.int)))
        }
        try expect(page, "sizes", .list([.int(0), .int(1)]))
        try expect(ChunkItem(chunk: chunk, letters: "iii"), "letters", .string("i?i"))
        let dead = DeadLetter(
            chunk: chunk,
            position: 0,
            recordID: "x",
            reason: "",
            attempts: 1,
            payload: [],
            now: Timestamp(milliseconds: 0)
        )
        try expect(dead, "position", .int(-1))
    }

    @Test(
        "a receipt whose payload lies nowhere is told by name",
        arguments: ["payload_offset", "payload_length"],
        [Int64(-1), 1 << 40, .max]
    )
    func receipt(name: String, value: Int64) throws {
        let job = try JobID(job)
        let now = Timestamp(milliseconds: 0)
        let receipt = ReceiptItem(
            chunk: ChunkID(job: job, slice: 0, page: 0, epoch: 1, number: 0),
            receipt: "r",
            job: JobKey(systemAccountID: "a", indexName: "i", id: job),
            count: 1,
            positions: [0],
            payloadKey: "p",
            payloadOffset: 0,
            payloadLength: 1,
            chunksOfPage: 1,
            attempt: 0,
            now: now,
            pollAt: now,
            deadline: now
        )
        try expect(receipt, name, .int(value))
    }

    @Test("a sheet balances or does not, however large its numbers are")
    func sheets() {
        var sheet = BalanceSheet()
        sheet.extracted = .max
        #expect(!sheet.isBalanced && sheet.imbalance != nil)
        sheet.completed = .max
        #expect(sheet.isBalanced && sheet.imbalance == nil)
        sheet.failed = 1
        #expect(!sheet.isBalanced)
        sheet.failed = -1
        #expect(!sheet.isBalanced)
        sheet += sheet
        #expect(!sheet.isBalanced)
    }
}
