// A stand-in and a source that visits it, and all that a source gives.
import HTTPDriver
import SluiceCore
import SluiceStandIns
import Testing
import VespaDriver

/// Documents of about 150 bytes; some ids hold colons.
let library = VespaCorpus(
    namespace: "books",
    schema: "books",
    count: 1000,
    bucketSize: 6,
    userID: { $0 % 10 == 3 ? "a::b:\($0)" : "doc-\($0)" },
    fields: { index, bytes in
        let text =
            #"{"marqo__id":"doc-\#(index)","title":"Volume \#(index) é","shelf":\#(index % 7),"note":"a \"quoted\"\n word"}"#
        bytes += Array(text.utf8)
    }
)

let libraryIDs = Set((0..<library.count).map { library.id(of: $0) })

/// Runs a stand-in, and a source for it that waits little.
func visiting<Value: Sendable>(
    _ corpus: VespaCorpus = library,
    version: VespaStandIn.Version = .current,
    faults: VespaStandIn.Faults = VespaStandIn.Faults(),
    parameters: String = "timeout=120",
    options: HTTPOptions = HTTPOptions(),
    grace: Duration = .seconds(5),
    _ body: (VespaSource, VespaStandIn) async throws -> Value
) async throws -> Value {
    let standIn = VespaStandIn([corpus], version: version, faults: faults)
    return try await withServer(standIn) { url in
        let place = try VespaURL("vespa+\(url)/?\(parameters)", field: "source")
        let source = try VespaSource(place, index: "books", options: options, grace: grace)
        return try await body(source, standIn)
    }
}

/// A source's page as it is for whoever looks at it.
struct Page: Equatable {
    var ids: [String] = []
    var next: Continuation?
}

extension VespaSource {
    func page(
        _ slice: Int = 0,
        of slices: Int = 1,
        from continuation: Continuation? = nil,
        wanted: Int = 50
    ) async throws -> Page {
        var page = SourcePage()
        try await fetch(
            PageRequest(slice: slice, slices: slices, continuation: continuation, recordsWanted: wanted),
            into: &page
        )
        return Page(ids: try page.ids, next: page.next)
    }

    /// Every page of a slice as the engine would ask for it: what fails is asked for again, what leads nowhere too.
    func drain(_ slice: Int = 0, of slices: Int = 1, from start: Continuation? = nil) async throws -> [String] {
        var page = SourcePage()
        var request = PageRequest(slice: slice, slices: slices, continuation: start, recordsWanted: 50)
        var ids: [String] = []
        var failures = 0
        while true {
            do throws(SourceError) {
                try await fetch(request, into: &page)
                failures = 0
            } catch {
                guard case .transient = error, failures < 200 else { throw error }
                failures += 1
                continue
            }
            if let next = page.next, next == request.continuation { continue }
            ids += try page.ids
            guard let next = page.next else { return ids }
            request.continuation = next
        }
    }

    func drainAll(slices: Int) async throws -> [String] {
        try await withThrowingTaskGroup(of: [String].self) { group in
            for slice in 0..<slices {
                group.addTask { try await self.drain(slice, of: slices) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}

extension SourcePage {
    /// The documents' ids; each record has to be whole, and to have its padding behind it.
    var ids: [String] {
        get throws {
            try records.map { record in
                #expect(record.range.upperBound + Self.padding <= bytes.count)
                let value = try JSONValue.parse(bytes[record.range])
                #expect(value["fields"]?.objectValue != nil)
                return try #require((value["put"] ?? value["id"])?.stringValue)
            }
        }
    }
}

/// Both kinds of servers.
enum Form: String, CaseIterable, Sendable {
    case lines, json

    var version: VespaStandIn.Version { self == .lines ? .current : .old }
}
