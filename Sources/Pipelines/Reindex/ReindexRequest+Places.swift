// Where a reindex reads and writes: what was asked for, and what follows from the index's record.
package import SluiceCore

/// The places that a reindex takes unless it is told others.
package struct ReindexPlaces: Sendable, Hashable {
    /// Where indexes are read, such as `vespa+https://vespa.example.com:8080`.
    package var vespa: String?
    /// Where shops' indexes are written, such as `ecommerce+https://api.example.com/api/v1`.
    package var ecommerce: String?

    package init(vespa: String? = nil, ecommerce: String? = nil) {
        self.vespa = vespa
        self.ecommerce = ecommerce
    }
}

extension ReindexRequest {
    /// Which index's record the job depends on, or nil if it can do without.
    ///
    /// - Throws: `JobError.field` if it needs one and the request doesn't name it.
    package func indexNeeded() throws(JobError) -> (account: String, index: String)? {
        let isVespa = source == nil || Self.scheme(of: source).hasPrefix("vespa") || shape == .vespa
        guard isVespa || sink == nil || Self.scheme(of: sink).hasPrefix("ecommerce") else { return nil }
        // What is missing altogether is better told than what its absence would need.
        if source == nil, account == nil, index == nil {
            throw .field(
                "source",
                "is missing; name one such as file:///path/to/docs.jsonl, or the --account and --index to read from Vespa"
            )
        }
        if sink == nil, !isVespa, account == nil, index == nil {
            throw .field("sink", "is missing; name one such as file:///path/to/out.jsonl or noop:")
        }
        guard let account else {
            throw .field("account", "is missing; this source or sink belongs to an index: name its account")
        }
        guard let index else {
            throw .field("index", "is missing; this source or sink belongs to an index: name it")
        }
        return (account, index)
    }

    func source(_ places: ReindexPlaces) throws(JobError) -> String {
        if let source { return source }
        if let vespa = places.vespa { return vespa }
        throw .field(
            "source",
            "is missing, and no Vespa is set; name one such as --source vespa+https://host:8080, or set vespa.url"
        )
    }

    /// What was asked for, except that a Classic index stays undelivered.
    func sink(_ details: IndexDetails?, _ places: ReindexPlaces) throws(JobError) -> String {
        if details?.service == .classic {
            guard let sink, !["noop", Reindex.classicScheme].contains(Self.scheme(of: sink)) else {
                return sink ?? Reindex.classicSink
            }
            throw .field(
                "sink",
                "the index is Classic, for its record has no metadata.shopId: its documents can't be delivered; leave "
                    + "--sink out, or name the shop with `sluice index set --shop-id`"
            )
        }
        if let sink { return sink }
        if let ecommerce = places.ecommerce { return ecommerce }
        throw .field(
            "sink",
            "is missing, and no Ecommerce API is set; name one such as --sink ecommerce+https://host/api/v1, or set "
                + "ecommerce.url"
        )
    }

    func shape(of source: String) throws(JobError) -> Job.RecordShape {
        let isVespa = Self.scheme(of: source).hasPrefix("vespa")
        if isVespa, shape == .plain {
            throw .field("shape", "is plain, but what Vespa keeps for Marqo is of the shape vespa; leave --shape out")
        }
        return isVespa ? .vespa : shape ?? .plain
    }

    func checkIDField(_ shape: Job.RecordShape, _ sink: String) throws(JobError) {
        guard idField != Reindex.defaultIDField else { return }
        if shape == .vespa {
            throw .field("id-field", "is \(idField), but a Marqo document's id is always _id; leave --id-field out")
        }
        if Self.scheme(of: sink).hasPrefix("ecommerce") {
            throw .field(
                "id-field",
                "is \(idField), but the Ecommerce API knows documents by _id; leave --id-field out"
            )
        }
    }

    private static func scheme(of url: String?) -> String {
        (url ?? "").prefix { $0 != ":" }.lowercased()
    }
}
