// One request about Jobs of a namespace.
import HTTPDriver
import SluiceCore

/// A request, by the verb that a role must be given for it.
struct KubernetesCall {
    enum Verb: String {
        case create, get, list, watch
    }

    let verb: Verb
    let namespace: String
    var name: String?
    var query: [(name: String, value: String)] = []
    var body: JSONValue?
    /// For the whole exchange, instead of the peer's.
    var timeout: Duration?

    init(_ verb: Verb, in namespace: String) {
        self.verb = verb
        self.namespace = namespace
    }

    /// What a person calls it.
    var words: String {
        let what = name.map { "job \($0)" } ?? (verb == .create ? "a job" : "jobs")
        return "\(verb.rawValue) \(what) in namespace \(namespace)"
    }

    func request(to access: KubernetesAccess, showing token: HTTPSecretHeader) -> HTTPCall {
        // Namespaces and names are checked to be DNS labels, which need no escaping.
        var url = "\(access.endpoint)/apis/batch/v1/namespaces/\(namespace)/jobs"
        if let name { url += "/\(name)" }
        for (place, (name, value)) in query.enumerated() {
            url += "\(place == 0 ? "?" : "&")\(name)=\(Self.escaped(value))"
        }
        var call = HTTPCall(verb == .create ? .post : .get, url, secretHeader: token, timeout: timeout)
        call.headers = [("Accept", "application/json"), ("User-Agent", "sluice")]
        if let body {
            call.headers.append(("Content-Type", "application/json"))
            call.body = HTTPBody(body.bytes())
        }
        return call
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                escaped += (byte < 16 ? "%0" : "%") + digits
            }
        }
        return escaped
    }
}
