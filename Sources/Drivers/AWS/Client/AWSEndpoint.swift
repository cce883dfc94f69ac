// Where a service answers.

/// Scheme, host and base path, checked.
package struct AWSEndpoint: Sendable, Equatable, CustomStringConvertible {
    package let scheme: String
    /// Without brackets around an IPv6 address.
    package let host: String
    /// As the `Host` header has it.
    package let authority: String
    /// Empty, or begins with a slash and does not end with one.
    package let basePath: String

    package var description: String { "\(scheme)://\(authority)\(basePath)" }
    var isEncrypted: Bool { scheme == "https" }

    /// - Parameters:
    ///   - text: such as `http://127.0.0.1:4566`.
    ///   - setting: what names it, for the error.
    /// - Throws: what is wrong with it.
    package init(_ text: String, setting: String) throws(AWSProblem) {
        let problem = { (what: String) in AWSProblem("\(setting) \(what); give a URL such as https://host:port") }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1)
        guard parts.count == 2, let scheme = String(parts[0])?.lowercased(), ["http", "https"].contains(scheme),
            let rest = String(parts[1]), rest.hasPrefix("//")
        else { throw problem("is neither http:// nor https://") }
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            !text.contains(where: { "?#\\\"<>^`{|}".contains($0) })
        else { throw problem("holds a query, a fragment or bytes that no URL has") }
        let place = rest.dropFirst(2)
        let authority = place.prefix { $0 != "/" }
        // It might hold a password, so it is not repeated.
        guard !authority.contains("@") else { throw problem("holds a user name, which is not sent") }
        let (host, port) = try Self.split(authority, problem)
        let isDefault = port == nil || port == (scheme == "https" ? 443 : 80)
        self.scheme = scheme
        self.host = host
        let shown = host.contains(":") ? "[\(host)]" : host
        self.authority = isDefault ? shown : "\(shown):\(port ?? 0)"
        let path = place.dropFirst(authority.count)
        basePath = String(path.reversed().drop { $0 == "/" }.reversed())
    }

    private static func split(
        _ authority: Substring,
        _ problem: (String) -> AWSProblem
    ) throws(AWSProblem) -> (host: String, port: Int?) {
        var host = authority
        var port = Substring()
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            host = authority[authority.index(after: authority.startIndex)..<end]
            port = authority[authority.index(after: end)...]
            guard host.contains(":"), host.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                throw problem("holds a broken IPv6 address")
            }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[colon...]
        }
        guard !host.isEmpty else { throw problem("names no host") }
        guard !port.isEmpty else { return (host.lowercased(), nil) }
        guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()), number > 0 else {
            throw problem("holds a port that is none")
        }
        return (host.lowercased(), Int(number))
    }

    /// The public endpoint of a service in a region.
    static func regional(_ service: AWSService, _ region: String) throws(AWSProblem) -> AWSEndpoint {
        let suffix =
            if region.hasPrefix("cn-") { "amazonaws.com.cn" } else if region.hasPrefix("us-iso-") {
                "c2s.ic.gov"
            } else if region.hasPrefix("us-isob-") { "sc2s.sgov.gov" } else if region.hasPrefix("eusc-") {
                "amazonaws.eu"
            } else { "amazonaws.com" }
        return try AWSEndpoint("https://\(service.host).\(region).\(suffix)", setting: "the region")
    }
}
