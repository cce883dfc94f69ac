// A request as a signature sees it, and its canonical form.

/// A request that can be signed.
package struct SignableRequest: Sendable {
    package var method: String
    /// As the `Host` header will have it: with its port, unless that is the scheme's own.
    package var host: String
    /// Absolute and escaped, as it is sent.
    package var path: String
    /// Not escaped, in any order; names may be repeated.
    package var query: [(name: String, value: String)]
    /// Signed as they are, but for those that belong to the connection.
    package var headers: [(name: String, value: String)]

    package init(
        _ method: String,
        host: String,
        path: String,
        query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = []
    ) {
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
    }
}

/// How a service wants its paths signed.
package enum PathRule: Sendable {
    /// As they are sent, dots and double slashes included: S3.
    case asSent
    /// Without dot segments and empty segments, and escaped once more: all others.
    case normalized
}

extension SignableRequest {
    /// Headers that proxies and clients set or change on the way.
    private static let unsigned: Set = [
        "authorization", "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
        "trailer", "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
    ]

    /// The escaped query in the order that signatures want, which is also how it is sent.
    var canonicalQuery: String {
        query.map { (name: Escaping.escaped($0.name), value: Escaping.escaped($0.value)) }
            .sorted { left, right in
                left.name == right.name
                    ? left.value.utf8.lexicographicallyPrecedes(right.value.utf8)
                    : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
            }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Names and values of what is signed, lower case and sorted; values of one name in their order.
    var canonicalHeaders: [(name: String, value: String)] {
        var lines = [(name: "host", value: Self.trimmed(host))]
        lines.reserveCapacity(headers.count + 1)
        for header in headers {
            let name = header.name.lowercased()
            if name == "host" || Self.unsigned.contains(name) { continue }
            let value = Self.trimmed(header.value)
            // They are few, and nearly in order.
            var place = lines.count
            while place > 0, name.utf8.lexicographicallyPrecedes(lines[place - 1].name.utf8) { place -= 1 }
            if place > 0, lines[place - 1].name == name {
                lines[place - 1].value += ",\(value)"
            } else {
                lines.insert((name, value), at: place)
            }
        }
        return lines
    }

    func canonicalPath(_ rule: PathRule) -> String {
        let sent = path.isEmpty ? "/" : path
        if sent == "/" { return sent }
        switch rule {
        case .asSent: return sent
        case .normalized: return Escaping.escapedPath(Self.normalized(sent))
        }
    }

    /// The text whose digest is signed, with the list of signed headers in it.
    func canonical(_ rule: PathRule, query: String, payload: String) -> (text: [UInt8], signedHeaders: String) {
        let headers = canonicalHeaders
        let names = headers.map(\.name).joined(separator: ";")
        var text = SigningText()
        for line in [method, canonicalPath(rule), query] { text.add(line, "\n") }
        for header in headers {
            text.add(header.name, ":")
            text.add(header.value, "\n")
        }
        text.add("", "\n")
        text.add(names, "\n")
        text.add(payload)
        return (text.bytes, names)
    }

    /// Spaces at the ends are dropped, runs of them within are one.
    private static func trimmed(_ value: String) -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard value.utf8.contains(where: isSpace) else { return value }
        return value.utf8.split(whereSeparator: isSpace).map { String(Substring($0)) }.joined(separator: " ")
    }

    private static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." {
                _ = parts.popLast()
            } else {
                parts.append(part)
            }
        }
        let end = path.hasSuffix("/") && !parts.isEmpty ? "/" : ""
        return "/" + parts.joined(separator: "/") + end
    }
}

/// A text that is signed or hashed and never shown, put together from many parts.
struct SigningText {
    private(set) var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(512)
    }

    mutating func add(_ part: String, _ separator: Unicode.Scalar? = nil) {
        bytes.append(contentsOf: part.utf8)
        if let separator { bytes.append(UInt8(ascii: separator)) }
    }
}
