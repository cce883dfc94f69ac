// What a bucket removes by itself.
internal import HTTPDriver
internal import SluiceCore

extension S3 {
    /// A rule of ours; others in the bucket stay.
    package struct LifecycleRule: Sendable, Equatable {
        /// Behind `sluice-`.
        package let name: String
        /// Which keys; empty for all.
        package let prefix: String
        /// Objects are removed so many days after they were stored.
        package var expiryDays: Int?
        /// Parts are removed so many days after their upload began, unless it was finished.
        package var abandonedPartsDays: Int?

        package init(_ name: String, prefix: String = "", expiryDays: Int? = nil, abandonedPartsDays: Int? = nil) {
            self.name = name
            self.prefix = prefix
            self.expiryDays = expiryDays
            self.abandonedPartsDays = abandonedPartsDays
        }
    }

    private static let ruleMark = "sluice-"

    /// Sets our rules instead of those of ours that were there.
    package func setLifecycle(_ rules: [LifecycleRule]) async throws(AWSError) {
        let others = try await lifecycleRules().filter { !($0["ID"]?.text.hasPrefix(Self.ruleMark) ?? false) }
        let all = others.map(\.xml) + rules.map { Self.xml($0) }
        let text = "<LifecycleConfiguration>\(all.joined())</LifecycleConfiguration>"
        let body = HTTPBody(Array(text.utf8))
        let call = call("PutBucketLifecycleConfiguration", .put, query: [("lifecycle", "")], body: body)
        _ = try await client.send(guarded(call))
    }

    /// Whether a rule, ours or another, removes all parts that nobody finishes.
    func removesAbandonedParts() async throws(AWSError) -> Bool {
        try await lifecycleRules().contains { rule in
            let prefix = rule["Filter"]?["Prefix"]?.text ?? rule["Prefix"]?.text ?? ""
            return rule["AbortIncompleteMultipartUpload"] != nil && rule["Status"]?.text == "Enabled" && prefix.isEmpty
        }
    }

    private func lifecycleRules() async throws(AWSError) -> [XMLElement] {
        let operation = "GetBucketLifecycleConfiguration"
        do throws(AWSError) {
            let answer = try await client.send(call(operation, .get, query: [("lifecycle", "")]))
            guard let root = try? XMLElement.parse(answer.body) else {
                throw client.senseless(operation, "the answer is no XML", answer)
            }
            return root.all("Rule")
        } catch {
            guard error.code == "NoSuchLifecycleConfiguration" else { throw error }
            return []
        }
    }

    private static func xml(_ rule: LifecycleRule) -> String {
        var text = "<Rule><ID>\(XMLText.escaped(ruleMark + rule.name))</ID>"
        text += "<Filter><Prefix>\(XMLText.escaped(rule.prefix))</Prefix></Filter><Status>Enabled</Status>"
        if let days = rule.expiryDays { text += "<Expiration><Days>\(days)</Days></Expiration>" }
        if let days = rule.abandonedPartsDays {
            let age = "<DaysAfterInitiation>\(days)</DaysAfterInitiation>"
            text += "<AbortIncompleteMultipartUpload>\(age)</AbortIncompleteMultipartUpload>"
        }
        return text + "</Rule>"
    }
}

extension XMLElement {
    /// The element written out again, without the attributes that nobody read.
    fileprivate var xml: String {
        let inside = children.isEmpty ? XMLText.escaped(text) : children.map(\.xml).joined()
        return "<\(name)>\(inside)</\(name)>"
    }
}
