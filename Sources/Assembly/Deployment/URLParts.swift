// What jobs are made of in the embedded default, by the scheme of their URLs.
import EcommerceDriver
import FilesDriver
package import Logging
import ReindexPipeline
package import SluiceCore
import SluiceEngine

/// Sources and sinks by URL scheme.
package struct URLParts: JobParts {
    private let owner: OwnerID
    private let settings: Settings
    private let logger: Logger

    /// What a sink writes to is named after `owner`, who works here.
    package init(owner: OwnerID, settings: Settings, logger: Logger) {
        self.owner = owner
        self.settings = settings
        self.logger = logger
    }

    package func source(for job: Job) throws(JobError) -> any RecordSource {
        let url = try PlaceURL(job.source, field: "source", schemes: ["file", "vespa+http", "vespa+https"])
        guard url.scheme == "file" else { return try settings.vespaSource(url.text, index: job.indexName) }
        // A job that is being made has not looked at its source yet.
        return FileSource(
            path: try FileURL.path(from: url.text, field: "source"),
            expecting: job.sourceFingerprint.isEmpty ? nil : job.sourceFingerprint
        )
    }

    package func transform(for job: Job) throws(JobError) -> any RecordTransform {
        guard job.shape == .vespa else { return SelectionTransform(job) }
        guard let index = job.index else {
            throw .field(
                "index",
                "the job has no record of its index, on which the shape vespa depends; create a new job"
            )
        }
        return MarqoTransform(job, index: index)
    }

    package func sink(for job: Job) throws(JobError) -> any RecordSink {
        switch try Self.sinkPlace(of: job) {
        case .nowhere: return NoOpSink()
        case .file(let path): return FileSink(path: path, job: job.id, owner: owner.text, overwrite: job.overwrite)
        case .ecommerce(let url):
            do {
                return try ecommerce(url, job)
            } catch {
                return UnusableSink(reason: error.description)
            }
        }
    }

    private func ecommerce(_ url: String, _ job: Job) throws(JobError) -> EcommerceSink {
        var logger = logger
        logger[metadataKey: "reindex_id"] = "\(job.id)"
        let log = logger
        return try settings.ecommerceSink(url, of: job) { log.warning("\($0)") }
    }

    package func destination(of job: Job) -> String? {
        do {
            switch try Self.sinkPlace(of: job) {
            case .nowhere: return nil
            case .file(let path): return "file:" + Self.tidy(path)
            case .ecommerce(let url):
                return try EcommerceURL(url, field: "sink").base + "/indexes/" + job.targetIndexName
            }
        } catch {
            // Such a job can't be created; one that is there all the same holds nothing.
            return nil
        }
    }

    package func checkSink(of job: Job) throws(JobError) {
        switch try Self.sinkPlace(of: job) {
        case .nowhere: return
        case .ecommerce(let url): _ = try ecommerce(url, job)
        case .file(let path): try checkFile(path, job)
        }
    }

    private func checkFile(_ path: String, _ job: Job) throws(JobError) {
        let source = try PlaceURL(job.source, field: "source", schemes: ["file", "vespa+http", "vespa+https"])
        let other = source.scheme == "file" ? try FileURL.path(from: source.text, field: "source") : nil
        try FileSink.checkDestination(path, overwrite: job.overwrite, source: other)
    }

    package func keepsDigests(of job: Job) -> Bool {
        do { if case .nowhere = try Self.sinkPlace(of: job) { return false } } catch { return false }
        return true
    }

    package func output(of job: Job) throws(JobError) -> (any RecordSource)? {
        guard case .file(let path) = try Self.sinkPlace(of: job) else { return nil }
        return FileSource(path: path, expecting: nil)
    }

    private enum SinkPlace {
        case nowhere
        case file(String)
        case ecommerce(String)
    }

    private static func sinkPlace(of job: Job) throws(JobError) -> SinkPlace {
        let schemes = ["file", "noop", Reindex.classicScheme, "ecommerce+http", "ecommerce+https"]
        let url = try PlaceURL(job.sink, field: "sink", schemes: schemes)
        switch url.scheme {
        case "file": return .file(try FileURL.path(from: url.text, field: "sink"))
        case "noop", Reindex.classicScheme:
            guard url.rest.isEmpty else {
                throw .field(
                    "sink",
                    "\"\(url.text)\" names a place, but \(url.scheme) keeps nothing; write \(url.scheme):"
                )
            }
            return .nowhere
        default: return .ecommerce(url.text)
        }
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
