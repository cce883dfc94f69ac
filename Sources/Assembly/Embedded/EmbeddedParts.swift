// What jobs are made of in the embedded default: files and nothing, by the scheme of their URLs.
import FilesDriver
import ReindexPipeline
package import SluiceCore
import SluiceEngine

/// Sources and sinks by URL scheme.
package struct EmbeddedParts: JobParts {
    private let owner: OwnerID

    /// - Parameter owner: Who works here; names the files that a sink writes to.
    package init(owner: OwnerID) {
        self.owner = owner
    }

    package func source(for job: Job) throws(JobError) -> any RecordSource {
        let path = try Self.sourcePath(of: job)
        // A job that is being made has not looked at its source yet.
        return FileSource(path: path, expecting: job.sourceFingerprint.isEmpty ? nil : job.sourceFingerprint)
    }

    package func transform(for job: Job) throws(JobError) -> any RecordTransform {
        SelectionTransform(job)
    }

    package func sink(for job: Job) throws(JobError) -> any RecordSink {
        switch try Self.sinkPlace(of: job) {
        case .nowhere: NoOpSink()
        case .file(let path): FileSink(path: path, job: job.id, owner: owner.text, overwrite: job.overwrite)
        }
    }

    package func destination(of job: Job) -> String? {
        do {
            guard case .file(let path) = try Self.sinkPlace(of: job) else { return nil }
            return "file:" + Self.tidy(path)
        } catch {
            // Such a job can't be created; one that is there all the same holds nothing.
            return nil
        }
    }

    package func checkSink(of job: Job) throws(JobError) {
        guard case .file(let path) = try Self.sinkPlace(of: job) else { return }
        try FileSink.checkDestination(path, overwrite: job.overwrite, source: try Self.sourcePath(of: job))
    }

    package func keepsDigests(of job: Job) -> Bool {
        do { if case .nowhere = try Self.sinkPlace(of: job) { return false } } catch { return false }
        return true
    }

    private enum SinkPlace {
        case nowhere
        case file(String)
    }

    private static func sourcePath(of job: Job) throws(JobError) -> String {
        let url = try PlaceURL(job.source, field: "source", schemes: ["file"])
        return try FileURL.path(from: url.text, field: "source")
    }

    private static func sinkPlace(of job: Job) throws(JobError) -> SinkPlace {
        let url = try PlaceURL(job.sink, field: "sink", schemes: ["file", "noop"])
        guard url.scheme == "noop" else { return .file(try FileURL.path(from: url.text, field: "sink")) }
        guard url.rest.isEmpty else {
            throw .field("sink", "\"\(url.text)\" names a place, but noop keeps nothing; write noop:")
        }
        return .nowhere
    }

    /// Without doubled slashes and parts that lead nowhere, so that one file has one name.
    ///
    /// By the text alone: a link that is moved while a job lives must not change what the job holds.
    private static func tidy(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// A source's or a sink's URL: its scheme is known, and it holds no secret.
package struct PlaceURL: Sendable, Hashable {
    package let text: String
    package let scheme: String
    /// What follows the scheme's colon.
    package let rest: String

    /// Reads a URL that is called `field` in errors.
    ///
    /// - Throws: `JobError.field` naming the known schemes, or the user-info that must leave.
    package init(_ text: String, field: String, schemes: [String]) throws(JobError) {
        let known = schemes.map { "\($0):" }.joined(separator: ", ")
        guard let colon = text.firstIndex(of: ":") else {
            throw .field(
                field,
                "\"\(text)\" is no URL; write one that begins with \(known), such as file:///path/to/docs.jsonl"
            )
        }
        scheme = text[..<colon].lowercased()
        rest = String(text[text.index(after: colon)...])
        self.text = text
        // Before anything repeats the URL: what stands before the @ may be a password.
        let authority = rest.hasPrefix("//") ? rest.dropFirst(2).prefix { $0 != "/" && $0 != "?" && $0 != "#" } : ""
        guard !authority.contains("@") else {
            throw .field(
                field,
                "holds user-info before an @; URLs are stored with the job, so they must hold no secrets: remove it"
            )
        }
        guard schemes.contains(scheme) else {
            throw .field(field, "\"\(text)\" has the unknown scheme \(scheme):; known are \(known)")
        }
    }
}
