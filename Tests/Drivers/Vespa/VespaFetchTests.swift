// Visits that go well, on servers new and old.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import Testing
import VespaDriver

@Suite("Vespa pages", .timeLimit(.minutes(10)))
struct VespaFetchTests {
    @Test("all slices together give every document once", arguments: Form.allCases, [1, 2, 8])
    func everything(form: Form, slices: Int) async throws {
        try await visiting(version: form.version) { source, _ in
            let ids = try await source.drainAll(slices: slices)
            #expect(ids.count == libraryIDs.count)
            #expect(Set(ids) == libraryIDs)
        }
    }

    @Test("a record is one document's bytes as the server wrote them")
    func rawBytes() async throws {
        try await visiting { source, _ in
            var page = SourcePage()
            page.bytes = Array("left over".utf8)
            try await source.fetch(PageRequest(slice: 0, slices: 1, continuation: nil, recordsWanted: 1), into: &page)
            let first = try #require(page.records.first)
            let text = String(decoding: page.bytes[first.range], as: UTF8.self)
            #expect(
                text == #"{"put":"id:books:books::doc-0","fields":{"marqo__id":"doc-0","title":"Volume 0 é","#
                    + #""shelf":0,"note":"a \"quoted\"\n word"}}"#
            )
            #expect(page.bytesRead == nil)
            #expect(await source.locate([first.position]) == [nil])
        }
    }

    @Test("a page's memory is taken once, for as many pages as there are", arguments: Form.allCases)
    func memory(form: Form) async throws {
        try await visiting(version: form.version) { source, _ in
            var page = SourcePage()
            var request = PageRequest(slice: 0, slices: 1, continuation: nil, recordsWanted: 50)
            var places: Set<UnsafeRawPointer> = []
            for _ in 0..<5 {
                try await source.fetch(request, into: &page)
                #expect(!page.records.isEmpty)
                request.continuation = page.next
                page.bytes.withUnsafeBytes { bytes in _ = bytes.baseAddress.map { places.insert($0) } }
            }
            #expect(places.count == 1)
        }
    }

    @Test("a server that knows no JSON Lines is asked for JSON from then on, and streams no more")
    func fallback() async throws {
        try await visiting(version: .old) { source, standIn in
            let first = try await source.page(wanted: 50)
            #expect(standIn.lastParameter("stream") == "true")
            #expect(standIn.lastHeader("Accept") == "application/jsonl")
            _ = try await source.page(from: first.next, wanted: 50)
            #expect(standIn.lastParameter("stream") == nil)
            #expect(standIn.lastHeader("Accept") == "application/json")
        }
    }

    @Test("a request says what it wants, and for how long it waits")
    func request() async throws {
        try await visiting(parameters: "timeout=7&concurrency=3&bucketSpace=default&cluster=content") {
            source,
            standIn in
            let first = try await source.page(1, of: 4, wanted: 20)
            _ = try await source.page(1, of: 4, from: first.next, wanted: 20)
            let expected = [
                "wantedDocumentCount": "20", "slices": "4", "sliceId": "1", "timeout": "7", "concurrency": "3",
                "stream": "true", "format.tensors": "short", "fieldSet": "books:[document]", "cluster": "content",
                "bucketSpace": "default", "continuation": first.next?.text,
            ]
            for (name, value) in expected { #expect(standIn.lastParameter(name) == value, "\(name)") }
        }
    }

    @Test("documents over the limit are refused, the others come", arguments: Form.allCases, [60_000, 900_000])
    func largeDocuments(form: Form, size: Int) async throws {
        let corpus = VespaCorpus(namespace: "books", schema: "books", count: 20, bucketSize: 3) { index, bytes in
            bytes += Array(#"{"n":"\#(String(repeating: "x", count: index % 5 == 2 ? size : 10))"}"#.utf8)
        }
        try await visiting(corpus, version: form.version) { source, _ in
            var page = SourcePage()
            let request = PageRequest(
                slice: 0,
                slices: 1,
                continuation: nil,
                recordsWanted: 20,
                bytesWanted: 8 << 20,
                recordBytesMax: 50_000
            )
            try await source.fetch(request, into: &page)
            #expect(page.records.count == 20)
            for (index, record) in page.records.enumerated() {
                let start = page.bytes[record.range].prefix(60)
                #expect(String(decoding: start, as: UTF8.self).contains("id:books:books::doc-\(index)\""))
                #expect((record.refusal != nil) == (index % 5 == 2))
                #expect(record.range.count <= 64 << 10)
                guard let refusal = record.refusal else { continue }
                // The document's own bytes, and what the form puts around them.
                let length = refusal.split(separator: " ").compactMap { Int($0) }.first ?? 0
                #expect((size...size + 80).contains(length))
            }
        }
    }

    @Test("a page of large documents ends near the bytes that are wanted, and the next one is asked for less")
    func bytesWanted() async throws {
        let corpus = VespaCorpus(namespace: "books", schema: "books", count: 3000, bucketSize: 4) { index, bytes in
            bytes += Array(#"{"n":"\#(String(repeating: "x", count: 5000))"}"#.utf8)
        }
        try await visiting(corpus) { source, standIn in
            var page = SourcePage()
            var request = PageRequest(
                slice: 0,
                slices: 1,
                continuation: nil,
                recordsWanted: 1000,
                bytesWanted: 1 << 20
            )
            try await source.fetch(request, into: &page)
            let first = page.records.count
            #expect(first < 1000)
            #expect((page.records.last?.range.upperBound ?? 0) >= 1 << 20)
            request.continuation = page.next
            try await source.fetch(request, into: &page)
            // About 210 fill a page; a bucket may come on top.
            #expect(page.records.count < 230)
            let wanted = try #require(standIn.lastParameter("wantedDocumentCount").flatMap { Int($0) })
            #expect((150...215).contains(wanted))
        }
    }

    @Test(
        "a visit that is taken up elsewhere loses nothing and repeats nothing that was committed",
        arguments: Form.allCases
    )
    func resumes(form: Form) async throws {
        let first = try await visiting(version: form.version) { source, _ in
            var page = try await source.page(wanted: 90)
            let more = try await source.page(from: page.next, wanted: 90)
            page.ids += more.ids
            page.next = more.next
            return page
        }
        let next = try #require(first.next)
        let rest = try await visiting(version: form.version) { source, _ in
            try await source.drain(from: Continuation(next.text))
        }
        #expect((first.ids + rest).count == libraryIDs.count)
        #expect(Set(first.ids + rest) == libraryIDs)
    }

    @Test("selection and field set reach the server", arguments: Form.allCases)
    func filters(form: Form) async throws {
        let parameters = "selection=books.shelf+%3D%3D+3&fieldSet=books:shelf"
        try await visiting(version: form.version, parameters: parameters) { source, _ in
            var page = SourcePage()
            var count = 0
            var request = PageRequest(slice: 0, slices: 1, continuation: nil)
            repeat {
                try await source.fetch(request, into: &page)
                for record in page.records {
                    #expect(try JSONValue.parse(page.bytes[record.range])["fields"] == ["shelf": 3])
                }
                count += page.records.count
                request.continuation = page.next
            } while page.next != nil
            #expect(count == (0..<library.count).filter { $0 % 7 == 3 }.count)
        }
    }

    @Test("the fingerprint says what is visited, not where from")
    func fingerprint() async throws {
        func fingerprint(_ parameters: String) async throws -> String {
            try await visiting(parameters: parameters) { source, _ in try await source.describe().fingerprint }
        }
        let plain = try await fingerprint("")
        // The port is another one each time.
        #expect(try await fingerprint("timeout=7&concurrency=2&schema=books&namespace=books") == plain)
        for other in [
            "selection=true", "fieldSet=%5Bid%5D", "bucketSpace=global", "fromTimestamp=1", "toTimestamp=9",
            "namespace=other", "cluster=content",
        ] {
            #expect(try await fingerprint(other) != plain)
        }
    }

    @Test(
        "a visit that can't go is refused before there is a job, with the server's own words",
        arguments: [
            ("selection=books.shelf+%3E+3", "Illegal document selection"), ("schema=films", "'films' does not exist"),
            ("cluster=east", "no content cluster 'east'"), ("fieldSet=films:a", "not one of document type"),
        ],
        Form.allCases
    )
    func refused(wrong: (parameters: String, words: String), form: Form) async throws {
        try await visiting(version: form.version, parameters: wrong.parameters) { source, _ in
            let error = await #expect(throws: SourceError.self) { _ = try await source.describe() }
            guard case .stopped(let reason) = error else {
                Issue.record("\(String(describing: error)) is worth no retry")
                return
            }
            #expect(reason.contains(wrong.words))
            #expect(reason.hasPrefix("Vespa at http://127.0.0.1:"))
        }
    }

    @Test("nobody listening is found out when the visit is described")
    func unreachable() async throws {
        let place = try VespaURL("vespa+http://127.0.0.1:1/", field: "source")
        let source = try VespaSource(place, index: "books")
        let error = await #expect(throws: SourceError.self) { _ = try await source.describe() }
        #expect(error?.description.contains("no connection") == true)
    }

    @Test("a page says which share of its slice has been read, if the server does", arguments: Form.allCases)
    func fraction(form: Form) async throws {
        try await visiting(version: form.version) { source, _ in
            var page = SourcePage()
            var next: Continuation?
            var seen = 0
            var fractions: [Double] = []
            repeat {
                try await source.fetch(
                    PageRequest(slice: 0, slices: 1, continuation: next, recordsWanted: 120),
                    into: &page
                )
                seen += page.records.count
                if let fraction = page.fractionRead {
                    fractions.append(fraction)
                    // Buckets differ in size, so the share is a rough one.
                    #expect(abs(fraction - Double(seen) / 1000) < 0.2, "\(fraction) after \(seen) of 1000")
                }
                next = page.next
            } while next != nil
            #expect(seen == 1000)
            #expect(fractions == fractions.sorted())
            #expect(fractions.isEmpty == (form != .lines))
            if form == .lines { #expect(fractions.last == 1) }
        }
    }
}
