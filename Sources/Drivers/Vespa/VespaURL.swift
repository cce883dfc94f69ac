// Vespa URLs as they are named in a job: read strictly, so that nobody visits what they did not mean.
package import SluiceCore

/// What is to be visited, and where.
///
/// `vespa+http://host:port/?selection=…`, or `vespa+https`; without a port 8080, Vespa's own, or 443. Parameters are escaped as
/// in every query (`%xx`, and `+` for a space); each may stand once.
package struct VespaURL: Sendable, Equatable {
    /// `http://host:port`.
    package let endpoint: String
    /// Nil for the schema's name.
    package var namespace: String?
    /// Nil for the one that the index's name leads to.
    package var schema: String?
    package var cluster: String?
    package var selection: String?
    /// Nil for `<schema>:[document]`.
    package var fieldSet: String?
    package var bucketSpace: String?
    /// In microseconds since 1970.
    package var fromTimestamp: Int64?
    package var toTimestamp: Int64?
    /// How long the server may work at one page, in seconds.
    package var timeout = 60
    /// Buckets that Vespa visits at a time for one page; nil for its own choice.
    package var concurrency: Int?

    private static let parameters = [
        "bucketSpace", "cluster", "concurrency", "fieldSet", "fromTimestamp", "namespace", "schema", "selection",
        "timeout", "toTimestamp",
    ]

    /// - Throws: `JobError.field` with the name of the field that holds the URL, and the fix.
    package init(_ url: String, field: String) throws(JobError) {
        func problem(_ text: String) -> JobError { .field(field, "\"\(url)\" \(text)") }

        let parts = url.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let scheme = parts[0].lowercased()
        guard parts.count == 2, scheme == "vespa+http" || scheme == "vespa+https", parts[1].hasPrefix("//") else {
            throw problem("is no Vespa URL; write vespa+http://host:8080/ or vespa+https://host/")
        }
        let rest = parts[1].dropFirst(2)
        guard !rest.contains("#") else { throw problem("holds a \"#\"; write it as %23") }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw .field(field, "holds user-info before the host; keys never stand in a URL, so leave it out")
        }
        let tail = rest[authority.endIndex...]
        let path = tail.prefix { $0 != "?" }
        guard path.isEmpty || path == "/" else {
            throw problem("has the path \(path); leave it out: the path is made from namespace and schema")
        }
        guard let place = Self.place(authority, defaultPort: scheme == "vespa+https" ? 443 : 8080) else {
            throw problem("names no host and port that can be reached; write vespa+http://host:8080/")
        }
        endpoint = "\(scheme.dropFirst(6))://\(place)"
        try read(tail.dropFirst(path.count).dropFirst(), field: field)
    }

    /// Host and port as they go into a URL.
    private static func place(_ authority: Substring, defaultPort: Int) -> String? {
        // The colons inside of brackets are the address's own.
        let afterAddress = authority.lastIndex(of: "]") ?? authority.startIndex
        let host = authority[..<(authority[afterAddress...].firstIndex(of: ":") ?? authority.endIndex)]
        let digits = authority[host.endIndex...].dropFirst()
        guard isHost(host), host.endIndex == authority.endIndex || !digits.isEmpty else { return nil }
        guard !digits.isEmpty else { return "\(host):\(defaultPort)" }
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits), (1...65_535).contains(port)
        else { return nil }
        return "\(host):\(port)"
    }

    private static func isHost(_ host: Substring) -> Bool {
        guard host.hasPrefix("[") else { return !host.isEmpty && host.utf8.allSatisfy(URLCoding.isHostByte) }
        let address = host.dropFirst().dropLast()
        return host.hasSuffix("]") && !address.isEmpty && address.utf8.allSatisfy(URLCoding.isAddressByte)
    }

    private mutating func read(_ query: Substring, field: String) throws(JobError) {
        var seen: Set<String> = []
        for pair in query.split(separator: "&", omittingEmptySubsequences: true) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = URLCoding.decoded(parts[0]),
                let value = URLCoding.decoded(parts.count == 2 ? parts[1] : "")
            else {
                throw .field(field, "the parameter \"\(pair)\" is not properly escaped; write a % as %25, and UTF-8")
            }
            guard Self.parameters.contains(name) else {
                let known = Self.parameters.joined(separator: ", ")
                throw .field(field, "there is no parameter \"\(name)\"; known are \(known)")
            }
            guard seen.insert(name).inserted else {
                throw .field(field, "the parameter \(name) stands twice; leave one out")
            }
            guard !value.isEmpty else {
                throw .field(field, "the parameter \(name) has no value; give one, or leave it out")
            }
            try set(name, value, field: field)
        }
        if let fromTimestamp, let toTimestamp, fromTimestamp >= toTimestamp {
            throw .field(field, "toTimestamp has to be later than fromTimestamp")
        }
    }

    private mutating func set(_ name: String, _ value: String, field: String) throws(JobError) {
        func number(_ range: ClosedRange<Int64>, _ unit: String) throws(JobError) -> Int64 {
            guard let number = Int64(value), range.contains(number) else {
                throw .field(
                    field,
                    "\(name) is \"\(value)\"; it has to be \(unit), \(range.lowerBound) to \(range.upperBound)"
                )
            }
            return number
        }
        func word() throws(JobError) -> String {
            guard value.utf8.allSatisfy(URLCoding.isNameByte) else {
                throw .field(field, "\(name) is \"\(value)\"; it may hold letters, digits, _ and - only")
            }
            return value
        }
        switch name {
        case "bucketSpace":
            guard value == "default" || value == "global" else {
                throw .field(field, "bucketSpace is \"\(value)\"; it has to be default or global")
            }
            bucketSpace = value
        case "cluster": cluster = try word()
        case "concurrency": concurrency = Int(try number(1...100, "a number of buckets"))
        case "fieldSet": fieldSet = value
        case "fromTimestamp": fromTimestamp = try number(0...Int64.max, "microseconds since 1970")
        case "namespace": namespace = try word()
        case "schema": schema = try word()
        case "selection": selection = value
        case "timeout": timeout = Int(try number(1...3600, "whole seconds"))
        default: toTimestamp = try number(0...Int64.max, "microseconds since 1970")
        }
    }
}

/// Schema names as Marqo derives them from the names of indexes.
package enum VespaSchema {
    /// The name itself if it is only letters and digits; else `_` and `-` are written `_00` and `_01` behind `marqo__`.
    package static func name(ofIndex index: String) -> String {
        let isPlain = index.utf8.allSatisfy {
            URLCoding.isNameByte($0) && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-")
        }
        guard !isPlain else { return index }
        var name = "marqo__"
        for character in index {
            switch character {
            case "_": name += "_00"
            case "-": name += "_01"
            default: name.append(character)
            }
        }
        return name
    }
}
