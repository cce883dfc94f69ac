// File URLs as they are named in a job: read strictly, so that nobody moves records to a place they did not mean.
package import SluiceCore

/// Reads `file:` URLs.
package enum FileURL {
    /// The absolute path that the URL names.
    ///
    /// `file:///path`, `file://localhost/path` and `file:/path` are understood, with `%xx` for bytes that can't be
    /// spelt; a `?` or `#` in a name must be written so. Slashes at the end are dropped.
    ///
    /// - Throws: `JobError.field` with the name of the field that holds the URL.
    package static func path(from url: String, field: String) throws(JobError) -> String {
        func problem(_ text: String) -> JobError { .field(field, "\"\(url)\" \(text)") }

        guard url.utf8.count >= 5, url.prefix(5).lowercased() == "file:" else {
            throw problem("is not a file URL; write file:///path/to/file")
        }
        var rest = url.dropFirst(5)
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let host = rest.prefix { $0 != "/" }
            guard !host.contains("@") else {
                throw problem("holds user-info; a file URL has none: write file:///path/to/file")
            }
            guard host.isEmpty || host.lowercased() == "localhost" else {
                throw problem(
                    "names the host \"\(host)\"; only local files can be named: write file:///\(host)… with three slashes"
                )
            }
            rest = rest[host.endIndex...]
        }
        guard rest.hasPrefix("/") else {
            throw problem("is not absolute; write file:///full/path/to/file")
        }
        if let mark = rest.first(where: { $0 == "?" || $0 == "#" }) {
            throw problem("holds a \"\(mark)\"; write it as \(mark == "?" ? "%3F" : "%23")")
        }
        guard let path = decoded(rest) else {
            throw problem("is not properly escaped; write a % in a name as %25, and names in UTF-8")
        }
        let end = path.lastIndex { $0 != "/" }.map(path.index(after:)) ?? path.index(after: path.startIndex)
        return String(path[..<end])
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimal), let low = rest.popFirst().flatMap(hexadecimal) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
