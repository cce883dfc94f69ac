// The files that AWS's tools keep their settings in: profiles by name.

/// What `~/.aws/config` and `~/.aws/credentials` say, as names and values.
package struct AWSProfiles: Sendable {
    /// Names are in lower case.
    package typealias Values = [String: String]

    private var profiles: [String: Values] = [:]
    /// By the name of a `services` section, then by service.
    private var services: [String: [String: Values]] = [:]

    /// Reads both files, those that are there; of a name that both set, the credentials file's counts.
    package init(_ environment: AWSEnvironment) throws(AWSProblem) {
        let home = environment.variable("HOME").map { "\($0)/.aws/" }
        let config = environment.variable("AWS_CONFIG_FILE") ?? home.map { $0 + "config" }
        let credentials = environment.variable("AWS_SHARED_CREDENTIALS_FILE") ?? home.map { $0 + "credentials" }
        for (path, isConfig) in [(config, true), (credentials, false)] {
            guard let path = path.map({ environment.expanded($0) }) else { continue }
            guard let text = try environment.text(of: path) else { continue }
            for section in try ProfileFile.sections(of: text, file: path) { add(section, isConfig: isConfig) }
        }
    }

    func profile(_ name: String) -> Values? { profiles[name] }

    func services(_ name: String) -> [String: Values]? { services[name] }

    private mutating func add(_ section: ProfileFile.Section, isConfig: Bool) {
        let words = section.name.split(separator: " ", maxSplits: 1).map { String($0) }
        if isConfig, words.first == "services", words.count == 2 {
            services[words[1], default: [:]].merge(section.nested) { $0.merging($1) { $1 } }
            return
        }
        var name = section.name
        if isConfig {
            guard name == "default" || words.first == "profile" && words.count == 2 else { return }
            if words.count == 2 { name = words[1] }
        }
        profiles[name, default: [:]].merge(section.values) { $1 }
    }
}

/// Sections of names and values, one a line; indented lines belong to the name above them.
enum ProfileFile {
    struct Section {
        let name: String
        var values: AWSProfiles.Values = [:]
        var nested: [String: AWSProfiles.Values] = [:]
    }

    /// - Throws: the file and line that are broken; never the line itself, which may hold a key.
    static func sections(of text: String, file: String) throws(AWSProblem) -> [Section] {
        var sections: [Section] = []
        var parent = ""
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let content = trimmed(line)
            if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
            let problem = { (what: String) in AWSProblem("line \(number + 1) of \(file) \(what)") }
            if content.hasPrefix("[") {
                guard let end = content.firstIndex(of: "]") else { throw problem("begins a section without a ]") }
                let words = content[..<end].dropFirst().split { $0 == " " || $0 == "\t" }
                sections.append(Section(name: words.joined(separator: " ")))
                continue
            }
            guard !sections.isEmpty else { throw problem("stands before the first [section]") }
            let isNested = line.first == " " || line.first == "\t"
            guard let sign = content.firstIndex(of: "=") else {
                // The second line of a long value, of a name that we don't read.
                if isNested { continue }
                throw problem("is neither a [section] nor name = value")
            }
            let name = trimmed(content[..<sign]).lowercased()
            let value = withoutComment(trimmed(content[content.index(after: sign)...]))
            if isNested {
                sections[sections.count - 1].nested[parent, default: [:]][name] = value
            } else {
                parent = name
                sections[sections.count - 1].values[name] = value
            }
        }
        return sections
    }

    private static func withoutComment(_ value: Substring) -> String {
        for mark in [" #", " ;", "\t#", "\t;"] {
            if let range = value.firstRange(of: mark) { return withoutComment(trimmed(value[..<range.lowerBound])) }
        }
        return String(value)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        let tail = text.drop(while: isSpace)
        guard let last = tail.lastIndex(where: { !isSpace($0) }) else { return "" }
        return tail[...last]
    }
}
