// Reads what DynamoDB answers: items straight out of the JSON, without a tree in between.
internal import SluiceCore

/// What is wrong with an answer.
struct DynamoDBNonsense: Error {
    let description: String
}

/// Walks one answer from member to member; every function is told where a value begins and answers where it ends.
struct DynamoDBReader {
    let grammar: JSONGrammar
    /// What is JSON, but nothing that DynamoDB would say or that the port could give.
    private var problem: String?
    /// How many objects and arrays are open.
    private var depth = 0

    /// Hands out the members of an answer, which is one object.
    ///
    /// `member` reads the value at the place with the reader's functions, or passes over it by `skip`.
    static func walk(
        _ answer: [UInt8],
        _ member: (inout DynamoDBReader, _ name: String, Int) -> Place
    ) throws(DynamoDBNonsense) {
        var problem: String?
        let end = answer.withUnsafeBytes { buffer in
            ByteWindow.padded(buffer, 0..<buffer.count) { window -> Place in
                var reader = DynamoDBReader(grammar: JSONGrammar(bytes: window))
                let end = reader.members(of: reader.grammar.afterSpace(0), member)
                problem = reader.problem
                return end > window.end ? .failure(.truncated, at: window.end) : end
            }
        }
        if let problem { throw DynamoDBNonsense(description: problem) }
        guard end >= 0 else { throw DynamoDBNonsense(description: "\(end.error(end: answer.count))") }
    }

    private init(grammar: JSONGrammar) {
        self.grammar = grammar
    }

    func skip(_ place: Int) -> Place { grammar.skip(place, depth: depth) }

    /// The members of an object.
    mutating func members(
        of place: Int,
        _ member: (inout DynamoDBReader, _ name: String, Int) -> Place
    ) -> Place {
        guard grammar.bytes[place] == UInt8(ascii: "{") else { return refuse("an object is missing", at: place) }
        depth += 1
        defer { depth -= 1 }
        let grammar = grammar
        return grammar.members(of: place, depth: depth) { key, value in member(&self, grammar.string(of: key), value) }
    }

    /// The elements of an array.
    mutating func elements(of place: Int, _ element: (inout DynamoDBReader, Int) -> Place) -> Place {
        guard grammar.bytes[place] == UInt8(ascii: "[") else { return refuse("a list is missing", at: place) }
        depth += 1
        defer { depth -= 1 }
        let grammar = grammar
        return grammar.elements(of: place, depth: depth) { value in element(&self, value) }
    }

    mutating func string(at place: Int, into result: inout String) -> Place {
        guard let text = text(at: place) else { return refuse("a text is missing", at: place) }
        guard text.end >= 0 else { return text.end }
        result = grammar.string(of: text)
        return text.end + 1
    }

    /// A value as it stands, to be sent back.
    func raw(at place: Int, into result: inout [UInt8]) -> Place {
        let end = skip(place)
        if end >= 0, end <= grammar.bytes.end { result = Array(grammar.bytes.span(place..<end)) }
        return end
    }

    mutating func items(at place: Int, into result: inout [AttributeMap]) -> Place {
        elements(of: place) { reader, place in
            var item: AttributeMap = [:]
            let end = reader.item(at: place, into: &item)
            result.append(item)
            return end
        }
    }

    /// An item, or the members of a map.
    mutating func item(at place: Int, into result: inout AttributeMap) -> Place {
        members(of: place) { reader, name, place in
            var value = AttributeValue.null
            let end = reader.value(at: place, into: &value)
            result[name] = value
            return end
        }
    }

    private mutating func value(at place: Int, into result: inout AttributeValue) -> Place {
        var types = 0
        let end = members(of: place) { reader, type, place in
            types += 1
            return reader.content(of: type, at: place, into: &result)
        }
        guard end < 0 || types == 1 else { return refuse("an attribute has \(types) types", at: place) }
        return end
    }

    private mutating func content(of type: String, at place: Int, into result: inout AttributeValue) -> Place {
        switch type {
        case "S":
            var string = ""
            let end = self.string(at: place, into: &string)
            result = .string(string)
            return end
        case "N", "B":
            guard let text = text(at: place), text.end >= 0 else { return refuse("an attribute is no text", at: place) }
            let value = type == "N" ? number(text) : bytes(text)
            guard let value else { return refuse("an attribute is no \(type == "N" ? "number" : "Base64")", at: place) }
            result = value
            return text.end + 1
        case "BOOL":
            result = .bool(grammar.bytes[place] == UInt8(ascii: "t"))
            return skip(place)
        case "NULL":
            result = .null
            return skip(place)
        case "L":
            var values: [AttributeValue] = []
            let end = elements(of: place) { reader, place in
                var value = AttributeValue.null
                let end = reader.value(at: place, into: &value)
                values.append(value)
                return end
            }
            result = .list(values)
            return end
        case "SS", "NS", "BS":
            // This program writes no sets; those of others are read as lists.
            var values: [AttributeValue] = []
            let member = String(type.prefix(1))
            let end = elements(of: place) { reader, place in
                var value = AttributeValue.null
                let end = reader.content(of: member, at: place, into: &value)
                values.append(value)
                return end
            }
            result = .list(values)
            return end
        case "M":
            var map: AttributeMap = [:]
            let end = item(at: place, into: &map)
            result = .map(map)
            return end
        default:
            return refuse("an attribute is of the type \(type), which this program does not write", at: place)
        }
    }

    /// Whole numbers of 64 bits are exact; others are the nearest double.
    private func number(_ text: JSONGrammar.Text) -> AttributeValue? {
        let digits = grammar.string(of: text)
        return Int64(digits).map(AttributeValue.int) ?? Double(digits).map(AttributeValue.double)
    }

    private func bytes(_ text: JSONGrammar.Text) -> AttributeValue? {
        let decoded =
            text.isEscaped
            ? Base64.decode(grammar.string(of: text).utf8) : Base64.decode(grammar.bytes.span(text.start..<text.end))
        return decoded.map(AttributeValue.bytes)
    }

    private func text(at place: Int) -> JSONGrammar.Text? {
        grammar.bytes[place] == UInt8(ascii: "\"") ? grammar.text(place + 1) : nil
    }

    private mutating func refuse(_ problem: String, at place: Int) -> Place {
        // Behind the end there is nothing; that the text ends is then the finding.
        if place < grammar.bytes.end { self.problem = self.problem ?? problem }
        return .failure(.unexpectedByte, at: place)
    }
}
