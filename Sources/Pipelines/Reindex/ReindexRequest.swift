// What is asked of a reindex, and whether it makes sense.
package import SluiceCore
import SluiceEngine

/// A reindex as somebody asks for it; nothing of it has been checked.
package struct ReindexRequest: Sendable, Hashable {
    /// Nil for the Vespa that the settings name.
    package var source: String?
    /// Nil for the sink that the index's record implies.
    package var sink: String?
    package var shape: Job.RecordShape?
    package var type: Job.ReindexType = .post
    /// What a patch sends.
    package var fields: [String]?
    package var skipIfPresent: [String]?
    package var concurrency = Reindex.defaultConcurrency
    package var idField = Reindex.defaultIDField
    package var overwrite = false
    package var onBadRecord = Job.BadRecordRule.stop
    package var pageSize = Reindex.defaultPageSize
    package var rate: Double?
    package var deliveryConcurrency: Int?
    package var failureBudget: String?
    /// Whose index it is; sources and sinks that know accounts need it.
    package var account: String?
    /// Which index is read; sources that know indexes need it.
    package var index: String?
    package var destinationIndex: String?

    package init(source: String? = nil, sink: String? = nil) {
        self.source = source
        self.sink = sink
    }

    /// The job that is asked for; its source has not been looked at, so it has no fingerprint yet.
    ///
    /// `details` is the index's record if `indexNeeded` names one, and `places` are those that need not be asked for.
    ///
    /// - Throws: `JobError.field` naming the option and what to do.
    package func job(
        id: JobID,
        now: Timestamp,
        details: IndexDetails? = nil,
        places: ReindexPlaces = ReindexPlaces()
    ) throws(JobError) -> Job {
        try checkFields()
        try checkSkipList()
        guard !idField.isEmpty else { throw .field("id-field", "is empty; name the field that holds a record's id") }
        for (name, text) in [("account", account), ("index", index), ("destination-index", destinationIndex)] {
            if let text { try Self.check(text, name) }
        }
        let source = try source(places)
        let sink = try sink(details, places)
        let shape = try shape(of: source)
        try checkIDField(shape, sink)
        let key = JobKey(
            systemAccountID: account ?? Reindex.localAccount,
            indexName: index ?? Self.safeName(ofSource: source),
            id: id
        )
        let job = Job(
            key: key,
            reindexType: type,
            concurrency: concurrency,
            fields: fields,
            skipExtractionIfFieldsPresent: skipIfPresent,
            destinationIndexName: destinationIndex,
            source: source,
            sink: sink,
            shape: shape,
            index: details,
            idField: idField,
            overwrite: overwrite,
            onBadRecord: onBadRecord,
            pageSize: pageSize,
            rate: rate,
            deliveryConcurrency: deliveryConcurrency,
            failureBudget: failureBudget,
            sourceDescription: SourceDescription(fingerprint: ""),
            now: now
        )
        try JobRules.check(job)
        return job
    }

    private func checkFields() throws(JobError) {
        switch (type, fields) {
        case (.post, nil): return
        case (.post, .some):
            throw .field(
                "fields",
                "is for --type patch; a post sends whole records: leave --fields out, or say --type patch"
            )
        case (.patch, nil):
            throw .field("fields", "is missing; a patch sends only named fields: add --fields a,b, or say --type post")
        case (.patch, .some(let names)):
            try Self.check(names, "fields")
            if names == [idField] {
                throw .field(
                    "fields",
                    "names only the id field \"\(idField)\", which is always sent; name what else to send"
                )
            }
        }
    }

    private func checkSkipList() throws(JobError) {
        guard let skipIfPresent else { return }
        try Self.check(skipIfPresent, "skip-if-present")
        guard skipIfPresent.count <= JSONLimit.presentAllMax else {
            throw .field(
                "skip-if-present",
                "names \(skipIfPresent.count) fields, at most \(JSONLimit.presentAllMax) can be asked after; leave some out"
            )
        }
    }

    private static func check(_ names: [String], _ field: String) throws(JobError) {
        guard !names.isEmpty else {
            throw .field(field, "is an empty list; name at least one field, or leave the option out")
        }
        var seen: Set<[UInt8]> = []
        for name in names {
            guard !name.isEmpty else { throw .field(field, "holds an empty field name; remove the comma too many") }
            guard seen.insert(Array(name.utf8)).inserted else {
                throw .field(field, "names \"\(name)\" twice; name each field once")
            }
        }
    }

    private static func check(_ name: String, _ field: String) throws(JobError) {
        guard (1...nameBytesMax).contains(name.utf8.count) else {
            throw .field(field, "must have 1 to \(nameBytesMax) bytes, has \(name.utf8.count)")
        }
        guard !name.unicodeScalars.contains(where: { $0 == "#" || $0.value < 0x20 || $0.value == 0x7F }) else {
            throw .field(field, "must not hold # or control characters; such a name could not be a key")
        }
    }

    /// Names are parts of keys, which have to fit the stores' limits.
    private static let nameBytesMax = 255

    /// The last part of the source's URL with everything but letters, digits, `.`, `_` and `-` made `-`.
    static func safeName(ofSource source: String) -> String {
        let path = source.drop { $0 != ":" }.dropFirst()
        let name = path.split(separator: "/").last ?? ""
        let safe = name.utf8.prefix(nameBytesMax).map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"):
                byte
            default: UInt8(ascii: "-")
            }
        }
        return safe.isEmpty ? "records" : String(decoding: safe, as: UTF8.self)
    }
}
