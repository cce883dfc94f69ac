// Documents as Vespa has them, with what has to become of them.

/// One document of the stand-in of Vespa.
struct Product: Sendable {
    /// The part of Vespa's id that is the user's.
    var vespaID: String
    /// As Vespa has them, one JSON object.
    var fields: String
    /// The id that the Ecommerce API should know it by.
    var id: String
    /// What the Ecommerce API should hold; nil if it can't be sent.
    var sent: String?

    init(_ id: String, fields: String, sent: String?, vespaID: String? = nil) {
        self.id = id
        self.fields = fields
        self.sent = sent
        self.vespaID = vespaID ?? id
    }

    /// A semi-structured document with nothing special about it.
    init(plain number: Int) {
        let id = "d\(number)"
        self.init(
            id,
            fields:
                #"{"marqo__id":"\#(id)","marqo__lexical_title":"T\#(number)","marqo__int_fields":{"n":\#(number)}}"#,
            sent: #"{"_id":"\#(id)","title":"T\#(number)","n":\#(number)}"#
        )
    }

    static func plain(_ count: Int) -> [Product] { (0..<count).map { Product(plain: $0) } }
}
