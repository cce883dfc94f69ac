// Which call of the API a request is.
import HTTPTypes
import Hummingbird

/// A request about Jobs.
struct KubernetesRoute {
    var kind: KubernetesRequestKind
    var namespace = ""
    /// Of the Job, for those about one.
    var name = ""
    private let query: [String: String]

    private static let base = "/apis/batch/v1/namespaces/"

    init(_ request: Request) {
        query = Dictionary(request.uri.queryParameters.map { (String($0.key), String($0.value)) }) { _, last in last }
        kind = .other
        let path = request.uri.path
        guard path.hasPrefix(Self.base) else { return }
        let parts = path.dropFirst(Self.base.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, parts[1] == "jobs" else { return }
        namespace = String(parts[0])
        if parts.count == 3 { name = String(parts[2]) }
        kind =
            switch (request.method, parts.count) {
            case (.post, 2): .create
            case (.get, 2): query["watch"] == "true" || query["watch"] == "1" ? .watch : .list
            case (.get, 3): .get
            case (.delete, 3): .delete
            default: .other
            }
    }

    subscript(name: String) -> String? { query[name] }

    func number(_ name: String) throws(KubernetesStatus) -> Int? {
        guard let text = query[name], !text.isEmpty else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw KubernetesStatus(400, "BadRequest", #"\#(name): "\#(text)" is no number"#)
        }
        return number
    }
}

/// Chooses Jobs by their labels: equality alone, all of them.
struct KubernetesSelector: Sendable {
    private let wanted: [(name: String, value: String)]

    init(_ text: String?) throws(KubernetesStatus) {
        var wanted: [(name: String, value: String)] = []
        for part in (text ?? "").split(separator: ",") {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            guard pair.count == 2, !pair[0].hasSuffix("!") else {
                throw KubernetesStatus(400, "BadRequest", #"unable to parse requirement: "\#(part)""#)
            }
            wanted.append((String(pair[0]), String(pair[1])))
        }
        self.wanted = wanted
    }

    func chooses(_ labels: (String) -> String?) -> Bool {
        wanted.allSatisfy { labels($0.name) == $0.value }
    }
}
