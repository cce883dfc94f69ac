// What is wanted of a record: its id, the fields that stay and the fields that leave.

/// Which fields of a record matter, and which leave.
///
/// `idField`, `keep` and `presentAll` name top-level fields as they are, dots included; `drop` holds paths.
public struct RecordSelection: Sendable, Equatable {
    /// The top-level field whose value is the record's id: a non-empty string, or an integer.
    public var idField: String
    /// When set, only these top-level fields are written, and the id field.
    public var keep: [String]?
    /// Dotted paths that are removed, such as `customer.email`.
    ///
    /// Arrays pass the path on to each of their elements, so `lines.internal` removes `internal` from every line;
    /// `lines[].internal` says the same. The id field always stays.
    public var drop: [String]
    /// Top-level fields asked after: the scan says whether the record has all of them, written or not, whatever
    /// their value.
    ///
    /// At most `JSONLimit.presentAllMax`. All of nothing is not "all": an empty list is never present.
    public var presentAll: [String]

    public init(idField: String = "_id", keep: [String]? = nil, drop: [String] = [], presentAll: [String] = []) {
        self.idField = idField
        self.keep = keep
        self.drop = drop
        self.presentAll = presentAll
    }
}
