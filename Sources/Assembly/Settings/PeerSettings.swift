// How the services that jobs read from and write to are reached.
package import EcommerceDriver
package import ReindexPipeline

/// One service over HTTP: where it is, who we are to it, and how it proves who it is.
package struct PeerSettings: Sendable, Hashable {
    /// What jobs take that name no other place.
    package var url: String?
    package var apiKey: String?
    /// A file that holds the key, read again whenever a job is taken up again.
    package var apiKeyFile: String?
    /// What AWS keeps the key under, read when a process starts: a secret of Secrets Manager, or `ssm:` and a parameter.
    package var apiKeySecret: String?
    /// How the Ecommerce API is shown its key; Vespa gets a bearer token.
    package var keyHeader = EcommerceKey.Header.bearer
    /// PEM file of the authorities that the service's certificate must come from; nil for the system's.
    package var trustRoots: String?
    /// PEM files of the certificate that we show, and of its key.
    package var clientCertificate: String?
    package var clientKey: String?
    /// Sent with every request.
    package var headers: [PeerHeader] = []

    package init() {}
}

/// A header that is sent with every request to a service.
package struct PeerHeader: Sendable, Hashable {
    package var name: String
    package var value: String

    /// Reads `Name: value`, several between semicolons; nil if one is not of the form.
    static func list(_ text: String) -> [PeerHeader]? {
        var headers: [PeerHeader] = []
        for part in text.split(separator: ";") {
            guard let colon = part.firstIndex(of: ":") else { return nil }
            let name = part[..<colon].trimmed
            let value = part[part.index(after: colon)...].trimmed
            let isName = name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }
            let isValue = value.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            guard !name.isEmpty, isName, isValue else { return nil }
            headers.append(PeerHeader(name: String(name), value: String(value)))
        }
        return headers
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}

extension Settings {
    /// Where a reindex reads and writes unless it is told otherwise.
    package var places: ReindexPlaces { ReindexPlaces(vespa: vespa.url, ecommerce: ecommerce.url) }
}
