// Writes what a service is asked in JSON.
internal import SluiceCore

/// Appends JSON piece by piece; no tree is built.
struct AWSJSONWriter {
    private(set) var bytes: [UInt8] = []

    /// Appends what is JSON already, or punctuation between such pieces.
    mutating func json(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func json(_ other: [UInt8]) { bytes.append(contentsOf: other) }

    mutating func text(_ text: String) { JSONValue.write(text, into: &bytes) }

    /// Begins a member of an object: a comma unless it is the first, its name and a colon.
    mutating func name(_ name: String) {
        comma()
        text(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// A comma, unless an object or an array begins here or nothing was written yet.
    mutating func comma() {
        guard let last = bytes.last, last != UInt8(ascii: "{"), last != UInt8(ascii: "[") else { return }
        bytes.append(UInt8(ascii: ","))
    }

    /// A member whose value is a text.
    mutating func member(_ name: String, _ text: String) {
        self.name(name)
        self.text(text)
    }

    mutating func member(_ name: String, _ number: Int) {
        self.name(name)
        json(String(number))
    }
}
