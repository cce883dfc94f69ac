// What the process was started with: variables and files, handed in so that a test brings its own.
internal import Glibc

/// Environment variables and the files they lead to.
package struct AWSEnvironment: Sendable {
    private let variables: [String: String]
    private let file: @Sendable (String) throws(FileProblem) -> String?

    /// A file that is there and can't be read.
    package struct FileProblem: Error, Sendable, Equatable {
        package let reason: String

        package init(reason: String) {
            self.reason = reason
        }
    }

    /// - Parameters:
    ///   - variables: the environment.
    ///   - file: a file's text, or nil if there is no such file.
    package init(
        variables: [String: String],
        file: @escaping @Sendable (String) throws(FileProblem) -> String?
    ) {
        self.variables = variables
        self.file = file
    }

    /// The process's own variables, which the caller has read, and the machine's files.
    package init(variables: [String: String]) {
        self.init(variables: variables, file: Self.readFile)
    }

    /// A variable's value; one that is empty counts as not set.
    package func variable(_ name: String) -> String? {
        guard let value = variables[name], !value.isEmpty else { return nil }
        return value
    }

    /// Whether a variable says `true`.
    func flag(_ name: String) -> Bool {
        variable(name)?.lowercased() == "true"
    }

    /// The text of a file, or nil if there is none.
    ///
    /// - Throws: which file can't be read, and why.
    func text(of path: String) throws(AWSProblem) -> String? {
        do {
            return try file(path)
        } catch {
            throw AWSProblem("\(path) can't be read: \(error.reason)")
        }
    }

    /// The text of a file that has to be there, without the line ends behind it.
    func secret(in path: String, named name: String) throws(AWSProblem) -> String {
        guard let text = try text(of: path) else {
            throw AWSProblem("\(name) names \(path), which is not there", isTransient: true)
        }
        let kept = text.utf8.reversed().drop { $0 == 0x0A || $0 == 0x0D || $0 == 0x20 }.reversed()
        guard !kept.isEmpty else { throw AWSProblem("\(path), which \(name) names, is empty", isTransient: true) }
        return String(decoding: Array(kept), as: UTF8.self)
    }

    /// A path with the home folder for a leading `~`.
    func expanded(_ path: String) -> String {
        guard path == "~" || path.hasPrefix("~/"), let home = variable("HOME") else { return path }
        return home + path.dropFirst()
    }

    /// No file of settings, keys or tokens is anywhere near this large.
    private static let fileBytesMax = 1 << 20

    private static func readFile(_ path: String) throws(FileProblem) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileProblem(reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while bytes.count <= fileBytesMax {
            let count = read(descriptor, &buffer, buffer.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileProblem(reason: String(cString: strerror(errno))) }
            bytes += buffer[..<count]
        }
        throw FileProblem(reason: "it has more than \(fileBytesMax) bytes")
    }
}
