// A key of an object, checked before it becomes a path.
import SluiceCore

/// A key that names a file below the store's root and nothing outside it.
struct ObjectKey: Sendable {
    let text: String

    /// - Throws: `PortError.invalidRequest` if the key is not of the port's form, or can't be a file's name.
    init(_ text: String) throws(PortError) {
        guard let problem = Self.problem(with: text) else {
            self.text = text
            return
        }
        throw PortError(.invalidRequest, "the key \"\(text)\" \(problem)")
    }

    /// The folder that the object's file lies in, relative to the root; empty for the root itself.
    var folder: String {
        text.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(text[..<$0]) } ?? ""
    }

    private static func problem(with text: String) -> String? {
        guard (1...1024).contains(text.utf8.count) else {
            return "has \(text.utf8.count) bytes; a key has 1 to 1024"
        }
        guard !text.utf8.contains(0) else { return "holds a NUL byte" }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            if part.isEmpty { return "has an empty part" }
            if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return "has a part . or .." }
            if part.count > 255 { return "has a part of \(part.count) bytes; a file's name has at most 255" }
        }
        if parts.first?.elementsEqual(Temporaries.folderName.utf8) == true {
            return "begins with \(Temporaries.folderName), which the store keeps for itself"
        }
        return nil
    }
}
