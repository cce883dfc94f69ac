// What is known of an index beside its documents: what kind it is, what its fields are, and where it is served.

/// The record of one index, as the index config table has it.
public struct IndexDetails: TableItem, Hashable {
    /// What the index's owner noted about it.
    public struct Metadata: Sendable, Hashable, Codable {
        /// Present if the index is a shop's, which is served by the Ecommerce API.
        public var shopID: String?

        public init(shopID: String? = nil) {
            self.shopID = shopID
        }

        enum CodingKeys: String, CodingKey {
            case shopID = "shopId"
        }
    }

    /// Who serves the index, and so who takes its documents.
    public enum Service: String, Sendable, Hashable {
        case ecommerce, classic
    }

    public var systemAccountID: String
    public var indexName: String
    public var metadata: Metadata
    /// Such as `4` or `4.1`; only workflows of version 4 can be reindexed.
    public var workflowVersion: String
    public var kind: IndexKind
    /// The Marqo version that the index was created with, such as `2.16.0`.
    public var marqoVersion: String?
    /// What each declared field is, by name; a structured index declares all of them.
    public var fields: [String: FieldType]
    public var updatedAt: Timestamp

    public init(
        systemAccountID: String,
        indexName: String,
        metadata: Metadata = Metadata(),
        workflowVersion: String = "4",
        kind: IndexKind,
        marqoVersion: String? = nil,
        fields: [String: FieldType] = [:],
        now: Timestamp
    ) {
        self.systemAccountID = systemAccountID
        self.indexName = indexName
        self.metadata = metadata
        self.workflowVersion = workflowVersion
        self.kind = kind
        self.marqoVersion = marqoVersion
        self.fields = fields
        updatedAt = now
    }

    public var service: Service { metadata.shopID == nil ? .classic : .ecommerce }

    public static func key(account: String, index: String) -> ItemKey { ItemKey(account, index) }
    public var key: ItemKey { Self.key(account: systemAccountID, index: indexName) }
    public static let schema = TableSchema(
        name: "index_config",
        partitionKey: "system_account_id",
        sortKey: "index_name"
    )

    enum CodingKeys: String, CodingKey {
        case systemAccountID = "system_account_id"
        case indexName = "index_name"
        case metadata
        case workflowVersion = "workflow_version"
        case kind = "index_type"
        case marqoVersion = "marqo_version"
        case fields
        case updatedAt = "updated_at"
    }
}

/// How an index keeps its documents in Vespa.
public enum IndexKind: String, Sendable, Hashable, Codable, CaseIterable {
    /// Every field was declared by the user.
    case structured
    /// Unstructured, created before Marqo 2.13: all user data in a fixed set of container fields.
    case unstructured
    /// Unstructured, created with Marqo 2.13 or later.
    case semiStructured = "semi-structured"
}

/// What a user declared a field to be.
public enum FieldType: String, Sendable, Hashable, Codable, CaseIterable {
    case text
    case imagePointer = "image_pointer"
    case videoPointer = "video_pointer"
    case audioPointer = "audio_pointer"
    case customVector = "custom_vector"
    case multimodalCombination = "multimodal_combination"
    case bool, int, long, float, double
    case textArray = "array<text>"
    case intArray = "array<int>"
    case longArray = "array<long>"
    case floatArray = "array<float>"
    case doubleArray = "array<double>"
    case intMap = "map<text, int>"
    case longMap = "map<text, long>"
    case floatMap = "map<text, float>"
    case doubleMap = "map<text, double>"

    /// Reads a type as it is written anywhere: spaces in it mean nothing.
    public init?(spelt text: String) {
        let bare = text.filter { $0 != " " }
        guard let type = Self.allCases.first(where: { $0.rawValue.filter { $0 != " " } == bare }) else { return nil }
        self = type
    }
}
