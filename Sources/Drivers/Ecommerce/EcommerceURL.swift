// Ecommerce URLs as they are named in a job: read strictly, so that nobody writes to a server they did not mean.
package import SluiceCore

/// Where the API of a server lies.
///
/// `ecommerce+http://host:port/api/v1` or `ecommerce+https`; without a path `/api/v1`, the API's own.
package struct EcommerceURL: Sendable, Hashable {
    /// `https://host:port/api/v1`, without a slash at the end.
    package let base: String
    /// `https://host:port`, without a path.
    let origin: String

    private static let defaultPath = "/api/v1"
    private static let example = "write ecommerce+https://host or ecommerce+http://host:port/api/v1"

    /// - Throws: `JobError.field` with the name of the field that holds the URL, and the fix.
    package init(_ url: String, field: String) throws(JobError) {
        guard let colon = url.firstIndex(of: ":") else { throw .field(field, "is no URL; \(Self.example)") }
        let scheme = url[..<colon].lowercased()
        let rest = url[url.index(after: colon)...]
        // Before anything repeats the URL: what stands before the @ may be a key.
        guard !rest.prefix(while: { $0 != "?" && $0 != "#" }).contains("@") else {
            throw .field(field, "holds user-info before an @; keys never stand in a URL: remove it")
        }
        func problem(_ text: String) -> JobError { .field(field, "\"\(url)\" \(text)") }
        guard scheme == "ecommerce+http" || scheme == "ecommerce+https", rest.hasPrefix("//") else {
            throw problem("is no Ecommerce URL; \(Self.example)")
        }
        guard !rest.contains("?"), !rest.contains("#") else {
            throw .field(field, "has something behind a ? or #, but the API takes no parameters; \(Self.example)")
        }
        let authority = rest.dropFirst(2).prefix { $0 != "/" }
        guard Self.isPlace(authority) else { throw problem("names no host and port; \(Self.example)") }
        var path = rest[authority.endIndex...]
        while path.hasSuffix("/") { path = path.dropLast() }
        guard path.utf8.allSatisfy({ Self.isName($0) || $0 == UInt8(ascii: "/") }), !path.contains("//"),
            !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." })
        else { throw problem("has a path of other than letters, digits, - . _ ~ and single slashes") }
        let httpScheme = scheme.dropFirst("ecommerce+".utf8.count)
        origin = "\(httpScheme)://\(authority.lowercased())"
        base = origin + (path.isEmpty ? Self.defaultPath : String(path))
    }

    /// Whether this is `host` or `host:port`; an IPv6 address stands in brackets.
    private static func isPlace(_ text: Substring) -> Bool {
        let isBracketed = text.hasPrefix("[")
        let end =
            isBracketed ? text.firstIndex(of: "]").map(text.index(after:)) : text.firstIndex(of: ":") ?? text.endIndex
        guard let end else { return false }
        let host = text[..<end]
        let port = text[end...]
        let inside = isBracketed ? host.dropFirst().dropLast() : host
        let isAllowed: (UInt8) -> Bool = { byte in
            isBracketed ? isHexadecimal(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".") : isName(byte)
        }
        guard !inside.isEmpty, inside.utf8.allSatisfy(isAllowed) else { return false }
        guard !port.isEmpty else { return true }
        let digits = port.dropFirst()
        guard port.hasPrefix(":"), digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits) else {
            return false
        }
        return (1...65_535).contains(number)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }

    /// Letters, digits and `-._~`, which stand for themselves in a URL.
    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }

    /// A name as one part of a path.
    static func escaped(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            if isName(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}

extension EcommerceURL {
    /// The text that an escaped one stands for; nil if it is not properly escaped, or not UTF-8.
    static func unescaped(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy(isHexadecimal),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
