// Listing: a walk through folders in the order of the keys' bytes.
package import SluiceCore

extension FileObjectStore {
    /// One page of keys; reads each folder on the way to it whole, so a folder of very many files is slow to page through.
    package func list(prefix: String, after: String?, limit: Int) async throws(PortError) -> [ObjectSummary] {
        try await io.run { () throws(PortError) in
            var walk = KeyWalk(
                root: self.root,
                prefix: Array(prefix.utf8),
                after: after.map { Array($0.utf8) },
                limit: limit
            )
            do throws(SystemFailure) {
                try walk.run()
            } catch {
                throw error.portError()
            }
            return walk.found
        }
    }
}

/// Finds the keys of one page.
private struct KeyWalk {
    let root: String
    let prefix: [UInt8]
    let after: [UInt8]?
    let limit: Int
    private(set) var found: [ObjectSummary] = []

    init(root: String, prefix: [UInt8], after: [UInt8]?, limit: Int) {
        self.root = root
        self.prefix = prefix
        self.after = after
        self.limit = limit
    }

    /// Starts in the deepest folder that the prefix names.
    mutating func run() throws(SystemFailure) {
        guard limit > 0 else { return }
        let end = prefix.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        let folder = String(decoding: prefix[..<end], as: UTF8.self)
        // A prefix that no key can begin with must not lead out of the root.
        let parts = folder.utf8.dropLast().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let impossible = parts.contains { part in
            part.isEmpty || part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) || part.contains(0)
        }
        guard folder.isEmpty || !impossible else { return }
        guard parts.first?.elementsEqual(Temporaries.folderName.utf8) != true else { return }
        try visit(folder)
    }

    /// `folder` is relative to the root and ends with a slash, or is empty.
    private mutating func visit(_ folder: String) throws(SystemFailure) {
        let entries = try Folder.entries(of: root + "/" + folder) ?? []
        // A folder stands where its keys stand: `a-b` comes before the keys in `a/`, `a0` after them.
        let keys = entries.map { (key: folder + $0.name + ($0.isFolder ? "/" : ""), isFolder: $0.isFolder) }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (key, isFolder) in keys where found.count < limit {
            if isFolder {
                if mayHold(key) { try visit(key) }
            } else if key.utf8.starts(with: prefix), isAfter(key) {
                // It may have been removed since the folder was read.
                guard let status = try FileStatus.ifPresent(root + "/" + key) else { continue }
                found.append(ObjectSummary(key: key, bytes: Int(status.bytes)))
            }
        }
    }

    private func mayHold(_ folder: String) -> Bool {
        if folder.utf8.elementsEqual("\(Temporaries.folderName)/".utf8) { return false }
        guard folder.utf8.starts(with: prefix) || prefix.starts(with: folder.utf8) else { return false }
        return isAfter(folder) || after?.starts(with: folder.utf8) == true
    }

    private func isAfter(_ key: String) -> Bool {
        after.map { $0.lexicographicallyPrecedes(key.utf8) } ?? true
    }
}
