// What is visited, as requests and as a fingerprint.
import HTTPDriver
import SluiceCore

/// A visit of one schema: all that its requests have in common.
struct Visit: Sendable {
    let url: VespaURL
    let schema: String
    private let namespace: String
    private let fieldSet: String

    init(_ url: VespaURL, index: String) {
        self.url = url
        schema = url.schema ?? VespaSchema.name(ofIndex: index)
        namespace = url.namespace ?? schema
        fieldSet = url.fieldSet ?? "\(schema):[document]"
    }

    /// What a continuation depends on; not the host, which may move.
    var fingerprint: String {
        var members: JSONObject = [
            "bucketSpace": .string(url.bucketSpace ?? "default"), "fieldSet": .string(fieldSet),
            "namespace": .string(namespace), "schema": .string(schema), "selection": .string(url.selection ?? ""),
        ]
        if let cluster = url.cluster { members["cluster"] = .string(cluster) }
        if let from = url.fromTimestamp { members["fromTimestamp"] = .string("\(from)") }
        if let to = url.toTimestamp { members["toTimestamp"] = .string("\(to)") }
        return "vespa \(JSONValue.object(members))"
    }

    /// Before what goes wrong, so that one knows where it did.
    var place: String { "Vespa at \(url.endpoint), schema \(schema)" }

    /// A request for one page.
    ///
    /// - Parameters:
    ///   - page: Which one.
    ///   - wanted: How many documents the server is to bring before it ends.
    ///   - asLines: Asks for JSON Lines; an old server answers with JSON all the same.
    ///   - timeout: How long the server may work, in seconds.
    ///   - grace: How much longer we wait.
    /// - Returns: The request, its time-out included.
    func call(_ page: PageRequest, wanted: Int, asLines: Bool, timeout: Int, grace: Duration) -> HTTPCall {
        var text = "\(url.endpoint)/document/v1/\(namespace)/\(schema)/docid?fieldSet=\(URLCoding.encoded(fieldSet))"
        func add(_ name: String, _ value: String?) {
            if let value { text += "&\(name)=\(URLCoding.encoded(value))" }
        }
        add("cluster", url.cluster)
        add("selection", url.selection)
        add("bucketSpace", url.bucketSpace)
        add("fromTimestamp", url.fromTimestamp.map { "\($0)" })
        add("toTimestamp", url.toTimestamp.map { "\($0)" })
        add("concurrency", url.concurrency.map { "\($0)" })
        text += "&format.tensors=short&timeout=\(timeout)&wantedDocumentCount=\(wanted)"
        if page.slices > 1 { text += "&slices=\(page.slices)&sliceId=\(page.slice)" }
        if asLines { text += "&stream=true" }
        add("continuation", page.continuation?.text)
        return HTTPCall(
            .get,
            text,
            headers: [("Accept", asLines ? "application/jsonl" : "application/json")],
            timeout: .seconds(timeout) + grace
        )
    }
}
