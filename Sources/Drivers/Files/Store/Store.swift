// Objects as files below one folder: a key is checked before it becomes a path.
import SluiceCore

/// A key that names a file below the store's root and nothing outside it.
struct FileKey: Sendable {
    let text: String

    /// - Throws: `PortError.invalidRequest` if the key is not of the port's form, or can't be a file's name.
    init(_ text: String) throws(PortError) {
        try ObjectKey.check(text)
        if let problem = Self.problem(with: text) {
            throw PortError(.invalidRequest, "the key \"\(text)\" \(problem)")
        }
        self.text = text
    }

    /// The folder that the object's file lies in, relative to the root; empty for the root itself.
    var folder: String {
        text.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(text[..<$0]) } ?? ""
    }

    private static func problem(with text: String) -> String? {
        guard !text.utf8.contains(0) else { return "holds a NUL byte" }
        let parts = text.utf8.split(separator: UInt8(ascii: "/"))
        if let part = parts.first(where: { $0.count > 255 }) {
            return "has a part of \(part.count) bytes; a file's name has at most 255"
        }
        if parts.first?.elementsEqual(Temporaries.folderName.utf8) == true {
            return "begins with \(Temporaries.folderName), which the store keeps for itself"
        }
        return nil
    }
}
