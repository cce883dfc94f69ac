// Reads what a service answers straight out of the JSON, without a tree in between.
internal import SluiceCore

/// What is wrong with an answer.
struct AWSNonsense: Error {
    let description: String
}

/// Walks one answer from member to member; every function is told where a value begins and answers where it ends.
struct AWSJSONReader {
    let grammar: JSONGrammar
    /// What is JSON, but nothing that the service would say or that its caller could give.
    private var problem: String?
    /// How many objects and arrays are open.
    private var depth = 0

    /// Hands out the members of an answer, which is one object.
    ///
    /// `member` reads the value at the place with the reader's functions, or passes over it by `skip`.
    static func walk(
        _ answer: [UInt8],
        _ member: (inout AWSJSONReader, _ name: String, Int) -> Place
    ) throws(AWSNonsense) {
        var problem: String?
        let end = answer.withUnsafeBytes { buffer in
            ByteWindow.padded(buffer, 0..<buffer.count) { window -> Place in
                var reader = AWSJSONReader(grammar: JSONGrammar(bytes: window))
                let end = reader.members(of: reader.grammar.afterSpace(0), member)
                problem = reader.problem
                return end > window.end ? .failure(.truncated, at: window.end) : end
            }
        }
        if let problem { throw AWSNonsense(description: problem) }
        guard end >= 0 else { throw AWSNonsense(description: "\(end.error(end: answer.count))") }
    }

    private init(grammar: JSONGrammar) {
        self.grammar = grammar
    }

    func skip(_ place: Int) -> Place { grammar.skip(place, depth: depth) }

    /// The members of an object.
    mutating func members(
        of place: Int,
        _ member: (inout AWSJSONReader, _ name: String, Int) -> Place
    ) -> Place {
        guard grammar.bytes[place] == UInt8(ascii: "{") else { return refuse("an object is missing", at: place) }
        depth += 1
        defer { depth -= 1 }
        let grammar = grammar
        return grammar.members(of: place, depth: depth) { key, value in member(&self, grammar.string(of: key), value) }
    }

    /// The elements of an array.
    mutating func elements(of place: Int, _ element: (inout AWSJSONReader, Int) -> Place) -> Place {
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

    func text(at place: Int) -> JSONGrammar.Text? {
        grammar.bytes[place] == UInt8(ascii: "\"") ? grammar.text(place + 1) : nil
    }

    mutating func refuse(_ problem: String, at place: Int) -> Place {
        // Behind the end there is nothing; that the text ends is then the finding.
        if place < grammar.bytes.end { self.problem = self.problem ?? problem }
        return .failure(.unexpectedByte, at: place)
    }
}
