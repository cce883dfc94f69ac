// What the statuses of the Ecommerce API ask of us.

/// An answer other than 2xx, by whose matter it is.
enum EcommerceRefusal: Equatable {
    /// The request's documents: halves are tried.
    case records
    /// Ours and others' together.
    case overload
    /// The server's; it may pass.
    case outage
    /// The key's.
    case key
    /// Nothing is there by this name.
    case missing
    /// What answers is no Ecommerce API, or not at this URL.
    case address

    init(_ status: Int) {
        switch status {
        case 401, 403, 407: self = .key
        case 404, 410: self = .missing
        case 429: self = .overload
        // A conflict, a time-out and "too early" may be over at the next try.
        case 408, 409, 423, 425: self = .outage
        case 300..<400, 405, 406, 415, 501, 505: self = .address
        case 500...: self = .outage
        default: self = .records
        }
    }
}
