// XML as AWS answers it: elements, their text, nothing else.

/// An element of a parsed text; attributes are passed over.
struct XMLElement: Sendable {
    let name: String
    fileprivate(set) var text = ""
    fileprivate(set) var children: [XMLElement] = []

    fileprivate init(name: String) {
        self.name = name
    }

    /// The first child of that name.
    subscript(name: String) -> XMLElement? {
        children.first { $0.name == name }
    }

    /// All children of that name, in their order.
    func all(_ name: String) -> [XMLElement] {
        children.filter { $0.name == name }
    }

    /// Why a text is no XML that we read.
    struct Problem: Error, Equatable {
        let place: Int
        let text: String
    }

    /// How deep elements may stand in one another; AWS's stay under ten.
    private static let depthMax = 64

    /// - Throws: for whatever is not well formed, and for document types, which no service sends.
    static func parse(_ bytes: [UInt8]) throws(Problem) -> XMLElement {
        var parser = XMLParser(bytes: bytes)
        return try parser.document(depthMax: depthMax)
    }
}

private struct XMLParser {
    let bytes: [UInt8]
    var place = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { place = 3 }
    }

    mutating func document(depthMax: Int) throws(XMLElement.Problem) -> XMLElement {
        var open: [XMLElement] = []
        while true {
            let text = try self.text()
            if open.isEmpty {
                guard text.utf8.allSatisfy({ Self.isSpace($0) }) else { throw problem("text outside the root") }
            } else {
                open[open.count - 1].text += text
            }
            guard place < bytes.count else { throw problem("it ends early") }
            if try skipAside() { continue }
            if take("<![CDATA[") {
                guard !open.isEmpty else { throw problem("text outside the root") }
                open[open.count - 1].text += try until("]]>")
            } else if take("</") {
                let name = self.name()
                skipSpaces()
                guard take(">"), let last = open.popLast(), last.name == name else {
                    throw problem("an element ends that did not begin")
                }
                if open.isEmpty { return last }
                open[open.count - 1].children.append(last)
            } else {
                let (element, isEmpty) = try start()
                guard open.count < depthMax else { throw problem("elements stand too deep") }
                if !isEmpty {
                    open.append(element)
                } else if open.isEmpty {
                    return element
                } else {
                    open[open.count - 1].children.append(element)
                }
            }
        }
    }

    /// Comments and instructions.
    private mutating func skipAside() throws(XMLElement.Problem) -> Bool {
        if take("<!--") {
            _ = try until("-->")
            return true
        }
        if take("<?") {
            _ = try until("?>")
            return true
        }
        guard !bytes[place...].starts(with: Array("<!D".utf8)) else { throw problem("document types are not read") }
        return false
    }

    private mutating func start() throws(XMLElement.Problem) -> (XMLElement, isEmpty: Bool) {
        guard take("<") else { throw problem("no element") }
        let name = self.name()
        guard !name.isEmpty else { throw problem("an element without a name") }
        while true {
            skipSpaces()
            if take("/>") { return (XMLElement(name: name), true) }
            if take(">") { return (XMLElement(name: name), false) }
            guard !self.name().isEmpty else { throw problem("a broken element") }
            skipSpaces()
            guard take("=") else { throw problem("an attribute without a value") }
            skipSpaces()
            let quote = take("\"") ? "\"" : take("'") ? "'" : ""
            guard !quote.isEmpty else { throw problem("an attribute without quotes") }
            _ = try until(quote)
        }
    }

    /// Up to the next markup, with its entities read.
    private mutating func text() throws(XMLElement.Problem) -> String {
        var text: [UInt8] = []
        while place < bytes.count, bytes[place] != UInt8(ascii: "<") {
            guard bytes[place] == UInt8(ascii: "&") else {
                text.append(bytes[place])
                place += 1
                continue
            }
            place += 1
            text += try entity(try until(";")).utf8
        }
        return String(decoding: text, as: UTF8.self)
    }

    private func entity(_ name: String) throws(XMLElement.Problem) -> String {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let number = name.hasPrefix("#x") ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
            guard name.hasPrefix("#"), let number, let scalar = Unicode.Scalar(number) else {
                throw problem("an unknown entity")
            }
            return String(Character(scalar))
        }
    }

    private mutating func name() -> String {
        let from = place
        while place < bytes.count, !Self.isSpace(bytes[place]), !Self.ends.contains(bytes[place]) { place += 1 }
        return String(decoding: bytes[from..<place], as: UTF8.self)
    }

    private mutating func until(_ end: String) throws(XMLElement.Problem) -> String {
        let mark = Array(end.utf8)
        let from = place
        while place + mark.count <= bytes.count {
            if bytes[place] == mark[0], bytes[place..<place + mark.count].elementsEqual(mark) {
                defer { place += mark.count }
                return String(decoding: bytes[from..<place], as: UTF8.self)
            }
            place += 1
        }
        throw problem("\(end) is missing")
    }

    private mutating func take(_ mark: String) -> Bool {
        guard bytes[place...].starts(with: mark.utf8) else { return false }
        place += mark.utf8.count
        return true
    }

    private mutating func skipSpaces() {
        while place < bytes.count, Self.isSpace(bytes[place]) { place += 1 }
    }

    private static let ends = Array("<>/=\"'".utf8)

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func problem(_ text: String) -> XMLElement.Problem { XMLElement.Problem(place: place, text: text) }
}
